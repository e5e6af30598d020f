import assert from 'node:assert/strict';
import { anyone, as, csrf, formOf, objects, post, report, tide } from './browser.mjs';
import { openReport, tick } from './choosing.mjs';

export const says = 'who may not, is not offered it and cannot do it by hand; no foreign page can do it in somebody’s name';

export default async function () {
  const [vera, rolf, anna, nobody] = [await as('vera'), await as('rolf'), await as('anna'), await anyone()];
  for (const page of [vera, rolf, anna]) await openReport(page);
  for (const name of ['Preview', 'Reset', 'Postpone']) {
    assert.equal(await vera.getByRole('button', { name, exact: true }).count(), 0, `a viewer is offered ${name}`);
  }
  const send = (page) => page.locator('main').locator('a, button').filter({ hasText: 'Send report' });
  assert.equal(await send(vera).count(), 0);
  assert.equal(await send(rolf).count(), 0);
  assert.equal(await vera.getByRole('checkbox', { name: /^Select / }).count(), 0);

  // The very forms of those who may, sent by those who may not.
  const digest = report().digest;
  await tick(rolf, 1);
  await rolf.getByLabel('Reason', { exact: true }).fill('forged');
  const adjust = await formOf(rolf.getByRole('button', { name: 'Preview', exact: true }));
  await rolf.getByRole('button', { name: 'Preview', exact: true }).click();
  const save = await formOf(rolf.getByRole('button', { name: 'Save adjustment' }));
  const postpone = await formOf(anna.getByRole('button', { name: 'Postpone', exact: true }));
  await send(anna).click();
  const sendNow = await formOf(anna.getByRole('button', { name: 'Send now' }));
  const by = async (page, form) => ({ ...form, fields: { ...form.fields, csrf: await csrf(page) } });
  await vera.goto('/');
  for (const form of [adjust, save, postpone, sendNow]) {
    assert.equal((await post(vera, await by(vera, form))).status(), 403, `a viewer: ${form.action}`);
  }
  await rolf.goto('/');
  const refused = await post(rolf, await by(rolf, sendNow));
  assert.equal(refused.status(), 403, 'a reviewer sends');
  assert.match(await refused.text(), /role="?alert|approver/);

  // Somebody who may, but from elsewhere or without the page's own field.
  const { csrf: own, ...bare } = sendNow.fields;
  assert.ok(own, 'the form has no csrf field');
  for (const [what, form, headers] of [
    ['without the field', { ...sendNow, fields: bare }, {}],
    ['with a wrong field', { ...sendNow, fields: { ...bare, csrf: 'A'.repeat(own.length) } }, {}],
    ['with the field of somebody else', await by(vera, sendNow), {}],
    ['from a foreign page', sendNow, { origin: 'https://example.net' }],
    ['from a page without an address', sendNow, { origin: 'null' }],
  ]) {
    assert.equal((await post(anna, form, headers)).status(), 403, what);
  }
  assert.ok([303, 401, 403].includes((await post(nobody, sendNow)).status()));
  // A GET changes nothing, whatever its address.
  const got = await anna.request.get(sendNow.action, { params: sendNow.fields, failOnStatusCode: false });
  assert.ok([200, 404, 405].includes(got.status()));
  const foreign = await nobody.request.get('/', { headers: { host: 'example.net' }, failOnStatusCode: false });
  assert.equal(foreign.status(), 421);

  for (const page of [vera, rolf, anna]) {
    assert.equal((await page.goto('/users')).status(), 403);
    await objects(page, /administrator/);
  }
  assert.equal((await anna.goto('/no-such-page')).status(), 404);
  await objects(anna, /no such page/i);
  assert.equal(report().digest, digest);
  assert.ok(!['sending', 'submitted'].includes(report().stage));
  assert.ok(!JSON.stringify(tide('report', 'show', '--server', 'vbr01', '--json')).includes('forged'));
}
