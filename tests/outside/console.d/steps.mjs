// Runs every step in the order of its file name, in one browser against one agent: the steps are one story.
// A step exports `says`, a sentence, a function with plain asserts, and `seconds` when it takes longer than others.
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { closeBrowser, openPages, work } from './browser.mjs';

/** Longest that a step may take when it says nothing else. */
const STEP_SECONDS = 60;
const asked = process.argv.slice(2);

function within(seconds, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done within ${seconds} s`)), seconds * 1000);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

async function leavePictures(file) {
  const folder = join(work, 'failed');
  mkdirSync(folder, { recursive: true });
  let number = 0;
  for (const page of openPages()) {
    number += 1;
    await page.screenshot({ path: join(folder, `${file}-${number}.png`), fullPage: true }).catch(() => {});
    console.log(`   at ${page.url()}: ${join(folder, `${file}-${number}.png`)}`);
  }
}

let failures = 0;
const files = readdirSync(new URL('.', import.meta.url)).filter((file) => /^\d/.test(file)).sort();
const wanted = files.filter((file) => asked.length === 0 || asked.some((word) => file.includes(word)));
for (const file of wanted) {
  const step = await import(`./${file}`);
  const begun = Date.now();
  try {
    const told = await within(step.seconds ?? STEP_SECONDS, step.default());
    console.log(`ok ${step.says}${told ? `: ${told}` : ''} (${((Date.now() - begun) / 1000).toFixed(1)} s)`);
  } catch (error) {
    failures += 1;
    console.log(`NOT OK ${step.says} (${file})`);
    console.log(String(error.stack).split('\n').slice(0, 30).map((line) => `   ${line}`).join('\n'));
    await leavePictures(file.replace('.mjs', ''));
  }
  for (const page of openPages()) await page.context().close();
}
await closeBrowser();
if (wanted.length === 0) console.log(`NOT OK no step is called ${asked.join(' or ')}`);
process.exit(failures > 0 || wanted.length === 0 ? 1 : 0);
