import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { anyone, objects, password, state } from './browser.mjs';

export const says = 'the one-time link of the first start makes one administrator, once';

export default async function () {
  const file = join(state, 'first-sign-in');
  const link = readFileSync(file, 'utf8').match(/\/welcome\/\S+/)?.[0];
  assert.ok(link, 'the file of the first start holds no link');

  const page = await anyone();
  await page.goto(link);
  await page.getByRole('heading', { name: 'Welcome' }).waitFor();
  const choose = async (first, again) => {
    await page.getByLabel('Password', { exact: true }).fill(first);
    await page.getByLabel('Repeat the password', { exact: true }).fill(again);
    await page.getByRole('button', { name: 'Set password' }).click();
  };
  // The browser's own checks are switched off: the server's must do.
  const unchecked = () => page.locator('form').first().evaluate((form) => { form.noValidate = true; });
  await unchecked();
  await choose('password', 'password');
  await objects(page, /password|signs/i);
  await unchecked();
  await choose(password, `${password}!`);
  await objects(page, /password|same/i);
  assert.ok(existsSync(file), 'the link is gone before it was used');
  await choose(password, password);
  await page.waitForURL((url) => url.pathname === '/');
  assert.match(await page.getByRole('banner').innerText(), /administrator/i);
  assert.ok(!existsSync(file), 'the file stays after the link was used');

  const second = await anyone();
  assert.equal((await second.goto(link)).status(), 404);
  await objects(second, /link|code/i);
  assert.equal((await second.goto('/welcome/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA')).status(), 404);
}
