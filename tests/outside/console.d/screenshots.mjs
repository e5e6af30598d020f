// A picture of every page, light and dark, on a desktop and a phone: `screenshots.mjs FOLDER`.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { anyone, as, closeBrowser, exists, PEOPLE, reportPage, tide } from './browser.mjs';
import { openReport, preview, tick } from './choosing.mjs';
import { DESKTOP, PAGES, PHONE, SIGN_IN } from './pages.mjs';

const folder = process.argv[2];
const SIZES = { desktop: DESKTOP, phone: PHONE };
/** A picture ends here, in pixels: what stands first on a page is what is looked at. */
const HEIGHT_MAX = { desktop: 1600, phone: 1560 };

/** Pictures that want something done on the page first, and whoever does it. */
const SCENES = [
  { name: 'notification', path: '/', by: 'anna', scene: (page) => page.getByRole('dialog').waitFor() },
  {
    name: 'preview',
    path: reportPage,
    by: 'rolf',
    scene: async (page) => {
      await openReport(page);
      await tick(page, 3);
      await (await preview(page, 'test machines, deleted on the 3rd')).scrollIntoViewIfNeeded();
    },
  },
];

/** A page as somebody sees it who has closed the notification window. */
async function withoutWindow(page) {
  if (await page.getByRole('dialog').isVisible()) await page.keyboard.press('Escape');
  await page.evaluate(() => { document.activeElement?.blur(); scrollTo(0, 0); });
}

async function picture(page, file, size) {
  const whole = await page.evaluate(() => document.documentElement.scrollHeight);
  const { width, height } = SIZES[size].viewport;
  await page.setViewportSize({ width, height: Math.max(height, Math.min(whole, HEIGHT_MAX[size])) });
  await page.screenshot({ path: join(folder, `${file}.png`), animations: 'disabled', caret: 'hide' });
}

mkdirSync(folder, { recursive: true });
for (const name of Object.keys(PEOPLE)) exists(name);
const invited = tide('user', 'invite', 'vera', '--json');
const welcome = JSON.stringify(invited).match(/\/welcome\/[\w-]+/)?.[0];
const all = [SIGN_IN, { name: 'welcome', path: welcome }, ...PAGES.map((page) => ({ ...page, by: 'adam' })), ...SCENES];
let missing = 0;
for (const { name, path, by, scene } of all) {
  for (const colorScheme of ['light', 'dark']) {
    for (const size of Object.keys(SIZES)) {
      const options = { ...SIZES[size], colorScheme };
      const page = await (by ? as(by, options) : anyone(options));
      try {
        const answer = await page.goto(path);
        if (answer.status() !== 200) throw new Error(`${path} answers ${answer.status()}`);
        await (scene ?? withoutWindow)(page);
        await picture(page, `${name}-${colorScheme}-${size}`, size);
      } catch (error) {
        missing += 1;
        console.log(`no picture of ${name} (${colorScheme}, ${size}): ${error.message.split('\n')[0]}`);
      }
      await page.context().close();
    }
  }
}
await closeBrowser();
process.exit(missing > 0 ? 1 : 0);
