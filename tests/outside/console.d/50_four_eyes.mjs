import assert from 'node:assert/strict';
import { as, csrf, formOf, post, report, says as said } from './browser.mjs';
import { openReport, pointsOf, preview, tick } from './choosing.mjs';

export const says = 'what lowers the report by more than the limit waits for a second person, and the first one cannot be both';

async function propose(page, reason) {
  await openReport(page, '&type=VM');
  const chosen = await tick(page, 8);
  const effect = await preview(page, reason);
  assert.match(await effect.innerText(), /second person/, 'the preview does not say that somebody else must agree');
  await page.getByRole('button', { name: 'Save adjustment' }).click();
  await said(page, 'waits for a second person');
  return chosen;
}

export default async function () {
  const anna = await as('anna');
  const bert = await as('bert');
  const before = report();

  // An approver's own proposal is as good as anybody's: he cannot approve it himself, whatever he sends.
  const chosen = await propose(anna, 'a whole cluster was retired');
  assert.equal(report().digest, before.digest, 'a proposal changes the report');
  const hers = anna.getByRole('region', { name: 'Proposed adjustments' });
  assert.match(await hers.innerText(), /anna/);
  assert.equal(await hers.getByRole('button', { name: 'Approve' }).count(), 0);

  await openReport(bert);
  const waiting = bert.getByRole('region', { name: 'Proposed adjustments' });
  assert.match(await waiting.innerText(), /a whole cluster was retired/);
  const approval = await formOf(waiting.getByRole('button', { name: 'Approve' }));
  const forged = { ...approval, fields: { ...approval.fields, csrf: await csrf(anna) } };
  assert.equal((await post(anna, forged)).status(), 403);
  assert.equal(report().digest, before.digest);

  await waiting.getByRole('button', { name: 'Approve' }).click();
  await said(bert, /approved/i);
  assert.equal(Number(report().total_points), Number(before.total_points) - pointsOf(chosen));
  const history = await bert.getByRole('region', { name: 'History' }).innerText();
  assert.match(history, /anna/);
  assert.match(history, /bert/);

  // The other answer: rejected, nothing changes. A reviewer is offered neither.
  const rolf = await as('rolf');
  const settled = report();
  await propose(rolf, 'one more cluster');
  const his = rolf.getByRole('region', { name: 'Proposed adjustments' });
  assert.equal(await his.getByRole('button', { name: /Approve|Reject/ }).count(), 0);
  await openReport(bert);
  await bert.getByRole('region', { name: 'Proposed adjustments' }).getByRole('button', { name: 'Reject' }).click();
  await said(bert, /rejected/i);
  assert.equal(report().digest, settled.digest);
  assert.equal((await post(bert, { ...approval, fields: { ...approval.fields, csrf: await csrf(bert) } })).status(), 409);
}
