import assert from 'node:assert/strict';
import { as, csrf, formOf, holdsNumber, post, report, says as said, server } from './browser.mjs';
import { openReport } from './choosing.mjs';

export const says = 'a report is sent after the number was seen once more, once, and nothing of it can be changed then';

export default async function () {
  const page = await as('anna');
  const before = report();
  await openReport(page);
  await page.locator('main').locator('a, button').filter({ hasText: 'Send report' }).click();
  const now = page.getByRole('button', { name: 'Send now' });
  await now.waitFor();
  const asked = await page.getByRole('main').innerText();
  holdsNumber(asked, before.total_points_rounded, 'the page that asks again');
  assert.match(asked, /Gate/i);
  assert.notEqual(report().stage, 'submitted');
  await page.getByRole('link', { name: 'Cancel' }).click();
  await page.getByRole('heading', { level: 1 }).filter({ hasText: /2026-10|October 2026/ }).waitFor();

  await page.locator('main').locator('a, button').filter({ hasText: 'Send report' }).click();
  const again = await formOf(now);
  await now.click();
  await said(page, /Sent/);
  const after = report();
  assert.equal(after.stage, 'submitted');
  assert.equal(after.total_points, before.total_points);
  await openReport(page);
  for (const name of [/^Preview$/, /^Reset$/, /^Postpone$/, /^Send/]) {
    assert.equal(await page.getByRole('main').getByRole('button', { name }).count(), 0, `${name} of a sent report`);
  }
  await page.getByRole('button', { name: /Correct/ }).waitFor();
  assert.match(await page.getByRole('region', { name: 'History' }).innerText(), /anna/);

  // Somebody else sent it a moment before: that is said, and nothing is sent twice.
  const bert = await as('bert');
  await openReport(bert);
  const second = await post(bert, { ...again, fields: { ...again.fields, csrf: await csrf(bert) } });
  assert.ok([409, 412].includes(second.status()), `sent twice: ${second.status()}`);
  assert.equal(report().digest, after.digest);

  // The window is for the other unit alone now; what is left is said in the title still.
  await page.goto('/');
  assert.equal(await page.getByRole('dialog').getByRole('group', { name: server }).count(), 0);
  assert.match(await page.title(), /8 days left/);
  assert.deepEqual(page.objections, []);
}
