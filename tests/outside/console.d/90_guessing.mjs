import assert from 'node:assert/strict';
import { anyone, as, formOf, objects, password, post } from './browser.mjs';

export const says = 'who guesses passwords is stopped, is told when to come back, and locks nobody out who is inside';

/** More tries than anybody needs. */
const TRIES_MAX = 60;

export default async function () {
  const inside = await as('vera');
  const page = await anyone();
  await page.goto('/sign-in');
  const form = await formOf(page.getByRole('button', { name: 'Sign in' }));
  const attempt = (secret) => post(page, { ...form, fields: { ...form.fields, ...filled(form, secret) } });
  let answer;
  let tries = 0;
  do {
    answer = await attempt(`wrong ${tries}`);
    tries += 1;
  } while (answer.status() === 401 && tries < TRIES_MAX);
  assert.equal(answer.status(), 429, `after ${tries} tries`);
  assert.ok(Number(answer.headers()['retry-after']) > 0, 'it does not say when to come back');
  assert.equal((await attempt(password)).status(), 429, 'the right password goes through between wrong ones');

  await page.getByLabel('Name', { exact: true }).fill('vera');
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await objects(page, /again/);
  assert.equal((await inside.goto('/')).status(), 200, 'who is signed in is locked out');
  return `${tries} tries`;
}

/** The form's own two fields, filled in. */
function filled({ fields }, secret) {
  const called = (what) => Object.keys(fields).find((key) => what.test(key));
  return { [called(/name/i)]: 'vera', [called(/password/i)]: secret };
}
