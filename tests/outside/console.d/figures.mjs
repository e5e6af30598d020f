// Prints of each page: time to first byte (median and worst of several), bytes of the page and of its whole first load, and when
// a laptop four times slower than this machine can use it.
import { as, closeBrowser } from './browser.mjs';
import { PAGES, WEIGHT_MAX } from './pages.mjs';

/** Loads of a page by somebody who has seen it, and by somebody who has not. */
const RUNS = 7;
const FIRST_LOADS = 3;
const SLOWER = 4;
/** When a page can be used on the slow laptop, at the latest, in milliseconds. */
const USABLE_MAX = 1000;
const wanted = process.argv[2] ? PAGES.filter(({ name }) => name === process.argv[2]) : PAGES;

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
const kilobytes = (bytes) => (bytes / 1024).toFixed(1);

async function firstLoad(path) {
  const page = await as('adam');
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Network.enable');
  await devtools.send('Emulation.setCPUThrottlingRate', { rate: SLOWER });
  let [bytes, requests] = [0, 0];
  devtools.on('Network.loadingFinished', (load) => { bytes += load.encodedDataLength; requests += 1; });
  const answer = await page.goto(path, { waitUntil: 'networkidle' });
  const timing = await page.evaluate(() => {
    const [navigation] = performance.getEntriesByType('navigation');
    const paint = performance.getEntriesByName('first-contentful-paint')[0];
    return {
      wire: navigation.encodedBodySize,
      whole: navigation.decodedBodySize,
      firstByte: navigation.responseStart - navigation.requestStart,
      usable: Math.max(navigation.domContentLoadedEventEnd, paint?.startTime ?? 0),
    };
  });
  await page.context().close();
  return { status: answer.status(), bytes, requests, ...timing };
}

async function firstBytes(path) {
  const page = await as('adam');
  const times = [];
  for (let run = 0; run < RUNS; run += 1) {
    await page.goto(path);
    const [navigation] = JSON.parse(await page.evaluate(() => JSON.stringify(performance.getEntriesByType('navigation'))));
    times.push(navigation.responseStart - navigation.requestStart);
  }
  await page.context().close();
  return times;
}

console.log('| page | status | first byte ms: first, median, worst | page KB | first load KB | requests | usable ms, slow laptop |');
console.log('|---|---|---|---|---|---|---|');
let over = 0;
for (const { name, path } of wanted) {
  const loads = [];
  for (let run = 0; run < FIRST_LOADS; run += 1) loads.push(await firstLoad(path));
  const load = { ...loads[0], usable: median(loads.map(({ usable }) => usable)) };
  const times = await firstBytes(path);
  if (load.status !== 200 || load.bytes > WEIGHT_MAX || load.usable > USABLE_MAX) over += 1;
  const first = [load.firstByte, median(times), Math.max(...times)].map((time) => time.toFixed(0)).join(', ');
  console.log(`| ${name} | ${load.status} | ${first} | ${kilobytes(load.whole)} | ${kilobytes(load.bytes)} | ${load.requests} | ${load.usable.toFixed(0)} |`);
}
await closeBrowser();
process.exit(over > 0 ? 1 : 0);
