import assert from 'node:assert/strict';
import { anyone, exists, password, report, reportPage, says as said } from './browser.mjs';

export const says = 'with the keyboard alone somebody signs in, adjusts with a preview, and always sees where the focus is';

/** Most stops of the focus on one page. */
const STOPS_MAX = 250;

/** Goes on with the tab key until this has the focus; every stop on the way must be seen. */
async function tabTo(page, wanted) {
  for (let stop = 0; stop < STOPS_MAX; stop += 1) {
    await page.keyboard.press('Tab');
    const at = await page.evaluate(() => {
      const element = document.activeElement;
      if (!element || element === document.body) return null;
      const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
      const box = element.getBoundingClientRect();
      const seen = (outlineStyle !== 'none' && parseFloat(outlineWidth) >= 1) || boxShadow !== 'none';
      return { seen, what: element.outerHTML.slice(0, 120), inside: box.width > 0 && box.bottom > 0 && box.top < innerHeight };
    });
    if (at) assert.ok(at.seen && at.inside, `the focus is not seen on ${at.what}`);
    if (await wanted.evaluate((element) => element === document.activeElement)) return;
  }
  throw new Error(`the tab key does not lead to ${wanted}`);
}

export default async function () {
  exists('rolf');
  const before = report();
  const page = await anyone();
  await page.goto(`/sign-in?to=${encodeURIComponent(reportPage)}`);
  await page.getByLabel('Name', { exact: true }).focus();
  await page.keyboard.type('rolf');
  await tabTo(page, page.getByLabel('Password', { exact: true }));
  await page.keyboard.type(password);
  await page.keyboard.press('Enter');
  await page.waitForURL((url) => url.pathname === '/report');

  // The first stop leads past the navigation.
  await page.keyboard.press('Tab');
  const skip = page.getByRole('link', { name: 'Skip to content' });
  assert.ok(await skip.evaluate((element) => element === document.activeElement));
  await page.keyboard.press('Enter');

  const search = page.getByRole('searchbox', { name: 'Search workloads' });
  await tabTo(page, search);
  const wanted = before.workloads.find((one) => one.counted && one.type === 'Workstation');
  await page.keyboard.type(wanted.name);
  await page.keyboard.press('Enter');
  await page.getByRole('status').filter({ hasText: /^\s*1 workload/ }).waitFor();

  await tabTo(page, page.getByRole('checkbox', { name: `Select ${wanted.name}`, exact: true }));
  await page.keyboard.press('Space');
  await tabTo(page, page.getByLabel('Reason', { exact: true }));
  await page.keyboard.type('returned by its owner');
  await tabTo(page, page.getByRole('button', { name: 'Preview', exact: true }));
  await page.keyboard.press('Enter');
  await page.getByRole('region', { name: 'Effect' }).waitFor();
  await tabTo(page, page.getByRole('button', { name: 'Save adjustment' }));
  await page.keyboard.press('Enter');
  await said(page, /Adjusted/);
  assert.equal(Number(report().total_points), Number(before.total_points) - Number(wanted.points));
}
