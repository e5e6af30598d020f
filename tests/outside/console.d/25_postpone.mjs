import assert from 'node:assert/strict';
import { as, report, says as said, server } from './browser.mjs';

export const says = 'postponing hides the window and moves no deadline';

export default async function () {
  const page = await as('rolf');
  await page.goto('/');
  const dialog = page.getByRole('dialog', { name: 'Monthly usage report' });
  const mine = dialog.getByRole('group', { name: server });
  assert.equal(await mine.getByText('Send', { exact: true }).count(), 0, 'a reviewer is offered to send');
  await mine.getByRole('button', { name: 'Postpone' }).click();
  await said(page, /postponed/i);
  assert.equal(report().stage, 'postponed');
  await page.goto('/');
  await page.getByRole('heading', { level: 1 }).waitFor();
  assert.equal(await mine.count(), 0, 'the window is back at once');
  assert.match(await page.title(), /8 days left/);
}
