import assert from 'node:assert/strict';
import { as, csrf, formOf, objects, post, says as said, server, tide } from './browser.mjs';

export const says = 'the license is updated, and auto update goes on only with consent to its text';

const path = `/license?server=${server}`;

function license() {
  const [one] = [tide('license', 'show', '--server', server, '--json')].flat();
  return one;
}

export default async function () {
  const page = await as('anna');
  await page.goto(path);
  for (const name of ['License', 'Retry calendar', 'Gate']) await page.getByRole('region', { name, exact: true }).waitFor();
  const history = page.getByRole('table', { name: 'History' });
  const sessions = await history.getByRole('row').count();
  await page.getByRole('button', { name: 'Update now' }).click();
  await page.getByRole('status').filter({ hasText: /license/i }).waitFor();
  await page.goto(path);
  assert.ok((await history.getByRole('row').count()) > sessions, 'the update is not in the history');
  assert.match(await history.innerText(), /anna/);

  assert.equal(license().auto_update, true);
  await page.getByRole('button', { name: 'Switch auto update off' }).click();
  await said(page, /off/);
  assert.equal(license().auto_update, false);
  await page.getByText('Auto update is off').first().waitFor();

  const on = page.getByRole('button', { name: 'Switch auto update on' });
  const consent = page.getByRole('checkbox', { name: /consent/i });
  await consent.evaluate((box) => { box.form.noValidate = true; });
  await on.click();
  await objects(page, /consent/i);
  assert.equal(license().auto_update, false, 'it goes on without consent');
  await consent.check();
  await on.click();
  await said(page, /on/);
  assert.equal(license().auto_update, true);

  await page.goto(path);
  const update = await formOf(page.getByRole('button', { name: 'Update now' }));
  for (const name of ['vera', 'rolf']) {
    const other = await as(name);
    await other.goto(path);
    assert.equal(await other.getByRole('button', { name: /Update now|Switch auto update/ }).count(), 0, name);
    const form = { ...update, fields: { ...update.fields, csrf: await csrf(other) } };
    assert.equal((await post(other, form)).status(), 403, name);
  }
  assert.deepEqual(page.objections, []);
}
