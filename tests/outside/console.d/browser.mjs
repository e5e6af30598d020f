// The browser, the people who use it, and the command line beside it.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const environment = process.env;
const require = createRequire(`${environment.CONSOLE_TOOLS}/`);
const { chromium } = require('playwright-core');

export const axeSource = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
export const base = environment.CONSOLE_BASE;
export const work = environment.CONSOLE_WORK;
export const state = environment.CONSOLE_STATE;
export const month = environment.CONSOLE_MONTH;
export const password = readFileSync(environment.CONSOLE_PASSWORD_FILE, 'utf8');
/** The reporting unit that the steps act on. */
export const server = 'vbr01';

/** Who uses the console, and as what. */
export const PEOPLE = {
  vera: 'viewer',
  rolf: 'reviewer',
  anna: 'approver',
  bert: 'approver',
  adam: 'administrator',
};

/** Longest wait for something to appear, in milliseconds. */
const PATIENCE = 10_000;
const settings = { locale: 'en-GB', timezoneId: 'Europe/Prague', viewport: { width: 1280, height: 800 } };
const sessions = new Map();
const known = new Set();
let browser;

async function opened() {
  browser ??= await chromium.launch({
    executablePath: environment.CONSOLE_CHROMIUM,
    args: ['--no-sandbox', '--font-render-hinting=none', '--force-color-profile=srgb', '--disable-dev-shm-usage'],
  });
  return browser;
}

export async function closeBrowser() {
  await browser?.close();
}

/** Every page that is open. */
export function openPages() {
  return browser ? browser.contexts().flatMap((context) => context.pages()) : [];
}

/** A page of nobody, in a context of its own. Everything the browser objects to is kept in `page.objections`. */
export async function anyone(options = {}) {
  const context = await (await opened()).newContext({ ...settings, baseURL: base, ...options });
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  page.objections = [];
  page.on('pageerror', (error) => page.objections.push(`script: ${error.message}`));
  page.on('console', (message) => {
    // An answer that is refused is told too; the steps look at those themselves.
    const refused = /Failed to load resource: the server responded with a status of 4/.test(message.text());
    if (message.type() === 'error' && !refused) page.objections.push(message.text());
  });
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(base) && !url.startsWith('data:')) page.objections.push(`asked ${url}`);
  });
  return page;
}

/** A page of this person, signed in. The session is shared by all pages of the person, unless `fresh`. */
export async function as(name, { fresh = false, ...options } = {}) {
  exists(name);
  if (fresh || !sessions.has(name)) {
    const page = await anyone(options);
    await signIn(page, name, password);
    await page.waitForURL((url) => url.pathname !== '/sign-in');
    if (fresh) return page;
    sessions.set(name, await page.context().storageState());
    await page.context().close();
  }
  return anyone({ ...options, storageState: sessions.get(name) });
}

/** Fills in the form of the sign-in page. */
export async function signIn(page, name, secret) {
  await page.goto('/sign-in');
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill(name);
  await page.getByLabel('Password', { exact: true }).fill(secret);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}

/** Adds the person by the command line, once. */
export function exists(name) {
  if (known.has(name)) return;
  known.add(name);
  try {
    tide('user', 'add', name, '--role', PEOPLE[name], '--password-file', environment.CONSOLE_PASSWORD_FILE);
  } catch (error) {
    // 8: a step has added the person before.
    if (error.status !== 8) throw error;
  }
}

/** The command line, which speaks to the same agent. */
export function tide(...words) {
  const said = execFileSync(environment.CONSOLE_TIDEGAUGE, [...words, '--state', state], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 1 << 28,
  });
  return words.includes('--json') ? JSON.parse(said) : said;
}

/** The open report as the command line has it. */
export function report() {
  return tide('report', 'show', '--server', server, '--month', month, '--json');
}

export const reportPage = `/report?server=${server}&month=${month}`;

/** What the form of this button would send, and where: for requests that no page offers. */
export async function formOf(button) {
  return button.evaluate((element) => {
    const data = new FormData(element.form, element);
    const action = element.getAttribute('formaction') ?? element.form.getAttribute('action') ?? '';
    return { action: new URL(action, document.baseURI).href, fields: Object.fromEntries(data) };
  });
}

/** Sends a form without a page, with this page's cookies; redirects are not followed. */
export async function post(page, { action, fields }, headers = {}) {
  return page.request.post(action, {
    form: fields,
    headers: { origin: base, ...headers },
    maxRedirects: 0,
    failOnStatusCode: false,
  });
}

/** The CSRF field of whoever is signed in here. */
export async function csrf(page) {
  return page.locator('input[name=csrf]').first().getAttribute('value');
}

/** Holds when this number stands in the text, however its thousands are set apart. */
export function holdsNumber(text, number, what) {
  const digits = text.replace(/(?<=\d)[,.'\u00a0\u202f\u2009 ](?=\d{3}(?!\d))/g, '');
  const found = new RegExp(`(?<![\\d.])${String(number).replace('.', '\\.')}(?![\\d]|\\.\\d)`).test(digits);
  assert.ok(found, `${what}: ${number} does not stand in "${text.replace(/\s+/g, ' ').slice(0, 600)}"`);
}

/** What was done is said on the page. */
export async function says(page, words) {
  await page.getByRole('status').filter({ hasText: words }).first().waitFor();
}

/** What was refused is said on the page. */
export async function objects(page, words) {
  await page.getByRole('alert').filter({ hasText: words }).first().waitFor();
}
