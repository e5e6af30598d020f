import assert from 'node:assert/strict';
import { as, holdsNumber, objects, report, says as said } from './browser.mjs';
import { openReport, pointsOf, preview, tick } from './choosing.mjs';

export const says = 'several workloads are adjusted at once, with a reason, and the effect is seen before it is saved';

export default async function () {
  const page = await as('rolf');
  const before = report();
  await openReport(page);
  const chosen = await tick(page, 2);

  // Without a reason nothing happens, and nothing that was chosen is lost. The browser's own check is switched off.
  await page.getByLabel('Reason', { exact: true }).evaluate((field) => { field.form.noValidate = true; });
  await page.getByRole('button', { name: 'Preview', exact: true }).click();
  await objects(page, /reason/i);
  for (const { name } of chosen) {
    assert.ok(await page.getByRole('checkbox', { name: `Select ${name}`, exact: true }).isChecked(), `${name} is no longer chosen`);
  }

  const reason = 'test machines, deleted on the 3rd <b>&amp;';
  const effect = await preview(page, reason);
  const after = Number(before.total_points) - pointsOf(chosen);
  const words = await effect.innerText();
  holdsNumber(words, before.total_points, 'the effect, before');
  holdsNumber(words, after, 'the effect, after');
  for (const part of [/Points/, /Money/, /Gate/]) assert.match(words, part);
  for (const { name } of chosen) assert.match(words, new RegExp(name));
  assert.equal(report().digest, before.digest, 'a preview changes the report');

  await page.getByRole('button', { name: 'Save adjustment' }).click();
  await said(page, /Adjusted/);
  assert.equal(Number(report().total_points), after);
  holdsNumber(await page.getByRole('region', { name: 'Totals' }).innerText(), after, 'the totals');
  const history = await page.getByRole('region', { name: 'History' }).innerText();
  assert.match(history, /rolf/);
  assert.ok(history.includes(reason), `the reason is not in the history as it was written: ${history}`);
  assert.ok(report().adjustments.every((one) => one.by === 'user:rolf' || one.by === 'rolf'));

  // Loading the page again sends nothing again.
  await page.reload();
  assert.equal(report().adjustments.length, before.adjustments.length + chosen.length);
  assert.deepEqual(page.objections, []);
}
