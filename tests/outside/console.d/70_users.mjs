import assert from 'node:assert/strict';
import { anyone, as, base, csrf, exists, formOf, objects, password, post, signIn, says as said, tide } from './browser.mjs';

export const says = 'an administrator invites, changes and disables people, and makes tokens that end with their role';

async function invite(page) {
  await page.goto('/users');
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill('wanda');
  await page.getByRole('combobox', { name: 'Role', exact: true }).selectOption({ label: 'Reviewer' });
  await page.getByRole('button', { name: 'Add user' }).click();
  await said(page, '/welcome/');
  const words = await page.getByRole('status').filter({ hasText: '/welcome/' }).innerText();
  return words.match(/\/welcome\/[\w-]+/)[0];
}

export default async function () {
  exists('vera');
  const page = await as('adam');
  const link = await invite(page);
  await page.reload();
  assert.ok(!(await page.content()).includes(link), 'the link is shown a second time');

  const wanda = await anyone();
  await wanda.goto(link);
  await wanda.getByLabel('Password', { exact: true }).fill(password);
  await wanda.getByLabel('Repeat the password', { exact: true }).fill(password);
  await wanda.getByRole('button', { name: 'Set password' }).click();
  await wanda.waitForURL((url) => url.pathname === '/');
  assert.match(await wanda.getByRole('banner').innerText(), /wanda[\s\S]*reviewer/i);

  await page.goto('/users');
  await page.getByRole('combobox', { name: 'Role of wanda' }).selectOption({ label: 'Viewer' });
  await page.getByRole('button', { name: 'Change wanda' }).click();
  await said(page, /wanda/);
  await wanda.goto('/report');
  assert.equal(await wanda.getByRole('button', { name: 'Preview', exact: true }).count(), 0, 'the old role holds on');

  await page.getByRole('button', { name: 'Disable wanda' }).click();
  await said(page, /wanda/);
  await wanda.goto('/');
  assert.equal(new URL(wanda.url()).pathname, '/sign-in', 'a disabled user is still signed in');
  await signIn(wanda, 'wanda', password);
  await objects(wanda, 'Name or password is wrong.');

  // Somebody must be left who can let others in.
  const disable = await formOf(page.getByRole('button', { name: 'Disable vera' }));
  const others = tide('user', 'list', '--json').users.filter((one) => one.role === 'administrator' && one.active && one.name !== 'adam');
  for (const { name } of others) {
    await page.getByRole('button', { name: `Disable ${name}`, exact: true }).click();
    await said(page, name);
  }
  const last = { ...disable, fields: { ...disable.fields, name: 'adam' } };
  assert.equal((await post(page, last)).status(), 409, 'the last administrator is disabled');
  assert.equal((await page.goto('/users')).status(), 200);
  const anna = await as('anna');
  await anna.goto('/');
  assert.equal((await post(anna, { ...disable, fields: { ...disable.fields, csrf: await csrf(anna) } })).status(), 403);

  await page.goto('/users');
  await page.getByRole('textbox', { name: 'Token name' }).fill('billing-job');
  await page.getByRole('combobox', { name: 'Token role' }).selectOption({ label: 'Viewer' });
  await page.getByLabel('Expires on').fill('2026-12-31');
  await page.getByRole('button', { name: 'Add token' }).click();
  await said(page, 'tgt_');
  const token = (await page.getByRole('status').filter({ hasText: 'tgt_' }).innerText()).match(/tgt_\S+/)[0];
  await page.reload();
  assert.ok(!(await page.content()).includes(token), 'the token is shown a second time');

  const program = await anyone();
  const ask = (path, more = {}) => program.request.fetch(`${base}${path}`, {
    failOnStatusCode: false, headers: { authorization: `Bearer ${token}` }, ...more,
  });
  assert.equal((await ask('/api/v1/status')).status(), 200);
  assert.equal((await ask('/api/v1/users')).status(), 403);
  await page.getByRole('button', { name: 'Revoke billing-job' }).click();
  await said(page, /billing-job/);
  assert.equal((await ask('/api/v1/status')).status(), 401);
  assert.deepEqual(page.objections, []);
}
