import assert from 'node:assert/strict';
import { as, holdsNumber, report, says as said } from './browser.mjs';
import { openReport } from './choosing.mjs';

export const says = 'a reset shows what it takes back before it does';

export default async function () {
  const page = await as('rolf');
  const before = report();
  assert.ok(before.adjustments.length > 0);
  await openReport(page);
  await page.getByRole('button', { name: 'Reset', exact: true }).click();
  await page.getByRole('button', { name: 'Reset now' }).waitFor();
  assert.equal(report().digest, before.digest);
  holdsNumber(await page.getByRole('main').innerText(), before.total_points, 'the page that asks again');
  await page.getByRole('button', { name: 'Reset now' }).click();
  await said(page, /reset|taken back/i);
  assert.deepEqual(report().adjustments, []);
  assert.ok(Number(report().total_points) > Number(before.total_points));
}
