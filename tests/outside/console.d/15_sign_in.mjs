import assert from 'node:assert/strict';
import { anyone, as, base, objects, password, signIn } from './browser.mjs';
import { PAGES } from './pages.mjs';

export const says = 'nobody sees a page before signing in, and nobody after signing out';

export default async function () {
  const page = await anyone();
  for (const { path } of PAGES) {
    const answer = await page.request.get(path, { maxRedirects: 0, failOnStatusCode: false });
    assert.equal(answer.status(), 303, `${path} without a session`);
    assert.match(answer.headers().location, /^\/sign-in/, path);
  }
  assert.equal((await page.request.get('/api/v1/status', { failOnStatusCode: false })).status(), 401);

  await as('vera');
  await signIn(page, 'vera', 'nine grey herons at high tide');
  await objects(page, 'Name or password is wrong.');
  await signIn(page, 'nobody', password);
  await objects(page, 'Name or password is wrong.');
  assert.deepEqual((await page.context().cookies()).filter((cookie) => cookie.httpOnly), []);

  // Whoever asked for a page gets it after signing in; a link that leads elsewhere is not followed.
  await page.goto('/journal');
  await page.getByLabel('Name', { exact: true }).fill('vera');
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL((url) => url.pathname === '/journal');
  await page.getByRole('banner').getByText('vera').waitFor();

  const cookies = await page.context().cookies();
  const session = cookies.find((cookie) => cookie.httpOnly);
  assert.ok(session, 'no cookie is kept from scripts');
  assert.match(session.sameSite, /^(Strict|Lax)$/);
  assert.ok(!(await page.content()).includes(session.value), 'the page holds its own session');

  const answer = await page.goto('/');
  const headers = answer.headers();
  const policy = headers['content-security-policy'];
  assert.match(policy, /default-src 'none'/);
  assert.doesNotMatch(policy, /unsafe|\*/);
  assert.match(policy, /frame-ancestors 'none'/);
  assert.equal(headers['x-content-type-options'], 'nosniff');
  assert.equal(headers['cache-control'], 'no-store');

  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.waitForURL((url) => url.pathname === '/sign-in');
  await page.context().addCookies([session]);
  await page.goto('/journal');
  assert.equal(new URL(page.url()).pathname, '/sign-in', 'a session lives on after signing out');

  const elsewhere = await anyone();
  await elsewhere.goto('/sign-in?to=https://example.net/');
  await elsewhere.getByLabel('Name', { exact: true }).fill('vera');
  await elsewhere.getByLabel('Password', { exact: true }).fill(password);
  await elsewhere.getByRole('button', { name: 'Sign in' }).click();
  await elsewhere.waitForURL((url) => url.pathname !== '/sign-in');
  assert.ok(elsewhere.url().startsWith(base), elsewhere.url());
}
