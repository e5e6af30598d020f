import assert from 'node:assert/strict';
import { anyone, as, axeSource } from './browser.mjs';
import { DESKTOP, NAVIGATION, PAGES, PHONE, SIGN_IN, WEIGHT_MAX } from './pages.mjs';

export const says = 'every page: nothing serious by axe in light and dark, no sideways scroll at 360 px, light in weight, whole without scripts';

export const seconds = 180;

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** Serious and critical violations, one line each. The page's own policy would keep axe out, so this page has none. */
async function violations(page) {
  await page.evaluate(axeSource);
  const found = await page.evaluate((values) => axe.run({ runOnly: { type: 'tag', values } }), RULES);
  return found.violations
    .filter((one) => ['serious', 'critical'].includes(one.impact))
    .map((one) => `${one.id}: ${one.help}: ${one.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(' | ')}`);
}

/** What a page lacks beside its colours. */
async function shape(page) {
  return page.evaluate(() => {
    const wrong = [];
    const all = (what) => [...document.querySelectorAll(what)];
    if (!document.querySelector('meta[name=viewport]')) wrong.push('no viewport');
    if (!document.documentElement.lang) wrong.push('no language');
    if (all('h1').length !== 1) wrong.push(`${all('h1').length} h1`);
    if (all('main').length !== 1) wrong.push('not one main');
    if (all('script:not([src])').length + all('style').length + all('[style]').length > 0) wrong.push('inline script or style');
    for (const chart of all('main svg:not([aria-hidden=true])')) {
      const name = chart.getAttribute('aria-label') || chart.getAttribute('aria-labelledby') || chart.querySelector('title');
      if (chart.getAttribute('role') !== 'img' || !name) wrong.push('a chart without a name');
      if (!chart.closest('figure, section')?.querySelector('table')) wrong.push('a chart without a table behind it');
    }
    for (const time of all('time')) {
      if (!/Z$|^\d{4}-\d\d(-\d\d)?$/.test(time.dateTime)) wrong.push(`a time without its instant: ${time.outerHTML}`);
      if (/T/.test(time.dateTime) && !/GMT|UTC/.test(time.title)) wrong.push(`no GMT on hover: ${time.outerHTML}`);
    }
    for (const form of all('form')) {
      if (form.method === 'post' && document.querySelector('nav') && !form.querySelector('[name=csrf]')) wrong.push(`a form without csrf: ${form.action}`);
    }
    return wrong.slice(0, 5);
  });
}

/** A page that counts the bytes of what it loads, with nothing kept from before. */
async function weighing(page) {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Network.enable');
  await devtools.send('Network.setCacheDisabled', { cacheDisabled: true });
  let bytes = 0;
  devtools.on('Network.loadingFinished', (load) => { bytes += load.encodedDataLength; });
  return async (path) => {
    bytes = 0;
    const answer = await page.goto(path, { waitUntil: 'networkidle' });
    assert.equal(answer.status(), 200, path);
    return bytes;
  };
}

/** What is wrong with how the page looks, in this colour scheme and at this width. */
async function looks(page, colorScheme, viewport) {
  await page.emulateMedia({ colorScheme });
  await page.setViewportSize(viewport);
  const wrong = await violations(page);
  const sideways = await page.evaluate(() => document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth);
  if (sideways > 0) wrong.push(`scrolls sideways by ${sideways} px`);
  return wrong.map((one) => `(${colorScheme}, ${viewport.width} px) ${one}`);
}

/** Looks at these pages with the contexts that `open` makes; gives what is wrong and the heaviest page's bytes. */
async function inspect(pages, open, navigation) {
  const [plain, axed, bare] = [await open({}), await open({ bypassCSP: true }), await open({ javaScriptEnabled: false })];
  const weigh = await weighing(plain);
  let heaviest = 0;
  const all = [];
  for (const { path } of pages) {
    const bytes = await weigh(path);
    heaviest = Math.max(heaviest, bytes);
    const wrong = [...(await shape(plain)), ...plain.objections.splice(0)];
    if (bytes > WEIGHT_MAX) wrong.push(`weighs ${Math.ceil(bytes / 1024)} KB`);
    await plain.emulateMedia({ media: 'print' });
    if (navigation.length > 0 && (await plain.getByRole('navigation', { name: 'Main' }).isVisible())) wrong.push('prints its navigation');
    await plain.emulateMedia({ media: null });

    await axed.goto(path);
    for (const colorScheme of ['light', 'dark']) {
      for (const viewport of [DESKTOP.viewport, PHONE.viewport]) wrong.push(...(await looks(axed, colorScheme, viewport)));
    }

    await bare.goto(path);
    const words = await plain.locator('h1').innerText();
    if ((await bare.locator('h1').innerText()) !== words) wrong.push('is another page without scripts');
    const links = await bare.getByRole('link').allInnerTexts();
    wrong.push(...navigation.filter((name) => !links.includes(name)).map((name) => `has no link ${name} without scripts`));
    all.push(...wrong.map((one) => `${path}: ${one}`));
  }
  return { all, heaviest };
}

export default async function () {
  const outside = await inspect([SIGN_IN], anyone, []);
  const inside = await inspect(PAGES, (options) => as('adam', options), NAVIGATION);
  assert.deepEqual([...outside.all, ...inside.all], []);
  return `the heaviest weighs ${Math.ceil(inside.heaviest / 1024)} KB`;
}
