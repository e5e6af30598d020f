import assert from 'node:assert/strict';
import { as, holdsNumber, month, report, server, tide } from './browser.mjs';
import { openReport } from './choosing.mjs';

export const says = 'every other page shows what the command line says, and every file of a report can be had';

export default async function () {
  const page = await as('adam');

  await page.goto('/servers');
  const servers = await page.getByRole('table', { name: 'Servers' }).innerText();
  for (const one of tide('status', '--json').servers) assert.ok(servers.includes(one.name), one.name);

  await page.goto(`/usage?server=${server}`);
  await page.getByRole('combobox', { name: 'Group by' }).selectOption('type');
  await page.getByLabel('From', { exact: true }).fill('2026-09-01');
  await page.getByLabel('Until', { exact: true }).fill('2026-10-31');
  await page.getByRole('button', { name: 'Show', exact: true }).last().click();
  const [watermark] = [tide('watermark', '--server', server, '--month', month, '--json')].flat();
  holdsNumber(await page.getByRole('main').innerText(), watermark.points, 'the usage of two months');

  // Who did what stands in the journal, and is found.
  await page.goto('/journal');
  await page.getByRole('searchbox', { name: 'Search the journal' }).fill('wanda');
  await page.getByRole('button', { name: 'Search', exact: true }).click();
  const rows = await page.getByRole('table', { name: 'Journal' }).getByRole('row').allInnerTexts();
  assert.ok(rows.length > 1 && rows.slice(1).some((row) => /adam/.test(row)), rows.join('\n'));
  assert.ok(!rows.some((row) => /argon2|tgt_/.test(row)), 'the journal shows a secret');

  // The glass box shows the very bytes.
  await page.goto(`/telemetry?server=${server}`);
  await page.getByRole('region', { name: 'Next' }).waitFor();
  await page.getByRole('table', { name: 'Sent' }).getByRole('link', { name: 'Show' }).first().click();
  assert.match(await page.locator('main pre').first().innerText(), /\{/);
  assert.match(await page.getByRole('main').innerText(), /SHA-256/);

  await page.goto('/settings');
  const settings = await page.getByRole('table', { name: 'Settings' }).innerText();
  assert.match(settings, /auto_submit_day/);
  assert.match(settings, /default/);

  await page.goto(`/billing?month=${month}`);
  assert.match(await page.getByRole('main').innerText(), /price book/i);

  await page.goto('/api');
  await page.getByRole('heading', { level: 1 }).filter({ hasText: 'API' }).waitFor();
  assert.match((await (await page.request.get('/api/v1/openapi.json')).json()).openapi, /^3\.1/);

  await openReport(page);
  const begins = { PDF: '%PDF-', HTML: '<!', XLSX: 'PK', CSV: '', JSON: '{' };
  for (const [format, sign] of Object.entries(begins)) {
    const link = await page.getByRole('link', { name: format, exact: true }).first().getAttribute('href');
    const file = await page.request.get(new URL(link, page.url()).href);
    const body = await file.body();
    assert.equal(file.status(), 200, format);
    assert.match(file.headers()['content-disposition'], /attachment/, format);
    assert.ok(body.length > 500 && body.subarray(0, 20).toString('latin1').replace('ï»¿', '').startsWith(sign), format);
    if (format === 'JSON') assert.equal(JSON.parse(body).digest, report().digest);
  }
  assert.deepEqual(page.objections, []);
}
