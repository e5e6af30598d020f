import assert from 'node:assert/strict';
import { as, holdsNumber, report, server } from './browser.mjs';

export const says = 'the notification window comes with sign-in, in the words of the field, and says how long is left';

export default async function () {
  const page = await as('anna', { fresh: true });
  const dialog = page.getByRole('dialog', { name: 'Monthly usage report' });
  await dialog.waitFor();
  assert.match(await page.title(), /8 days left/);

  const mine = dialog.getByRole('group', { name: server });
  const words = await mine.innerText();
  assert.match(words, /Monthly usage report has been generated\./);
  assert.match(words, /Number of managed points for the previous month: /);
  assert.match(words, /Please review and submit the report within the next 8 days\./);
  holdsNumber(words, report().total_points_rounded, 'the notification window');
  for (const name of ['Review', 'Send', 'Postpone']) {
    await mine.locator('a, button').filter({ hasText: new RegExp(`^\\s*${name}\\s*$`) }).waitFor();
  }
  assert.equal(await dialog.getByRole('group').count(), 2, 'one for each open report');

  // Whoever reads with a keyboard or a screen reader is in it, and can leave it.
  const inside = await dialog.evaluate((element) => element.contains(document.activeElement));
  assert.ok(inside, 'the focus is not in the window');
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });
  await page.getByRole('region', { name: 'Open report' }).first().waitFor();

  await page.reload();
  await dialog.getByRole('group', { name: server }).getByText('Review', { exact: true }).click();
  await page.waitForURL((url) => url.pathname === '/report');
  await page.getByRole('heading', { level: 1 }).filter({ hasText: /2026-10|October 2026/ }).waitFor();

  // A viewer can neither send nor postpone: the window is not for him, the banner is.
  const viewer = await as('vera');
  await viewer.goto('/');
  assert.equal(await viewer.getByRole('dialog').count(), 0);
  assert.match(await viewer.title(), /8 days left/);
  await viewer.getByRole('region', { name: 'Open report' }).first().waitFor();
}
