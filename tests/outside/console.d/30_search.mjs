import assert from 'node:assert/strict';
import { as, holdsNumber, report } from './browser.mjs';
import { openReport } from './choosing.mjs';

export const says = 'the report page shows the totals, finds a workload, narrows and sorts the table';

export default async function () {
  const page = await as('vera');
  await openReport(page);
  const truth = report();
  holdsNumber(await page.getByRole('region', { name: 'Totals' }).innerText(), truth.total_points_rounded, 'the totals');
  for (const name of ['By type', 'By server']) await page.getByRole('table', { name }).waitFor();
  for (const line of truth.lines) {
    holdsNumber(await page.getByRole('table', { name: 'By type' }).innerText(), line.points, line.type);
  }

  const table = page.getByRole('table', { name: 'Workloads' });
  const names = async () => (await table.getByRole('row').allInnerTexts()).slice(1);
  const search = page.getByRole('searchbox', { name: 'Search workloads' });
  const wanted = truth.workloads.find((one) => one.counted && one.type === 'VM');
  await search.fill(wanted.name.toUpperCase());
  await page.getByRole('button', { name: 'Search', exact: true }).click();
  await page.getByRole('status').filter({ hasText: /^\s*1 workload/ }).waitFor();
  assert.equal((await names()).length, 1);
  assert.match((await names())[0], new RegExp(wanted.name));

  // What is searched stays, and is never run: a name is text, whatever it looks like.
  await search.fill('"><img src=x onerror=alert(1)>');
  await page.getByRole('button', { name: 'Search', exact: true }).click();
  await page.getByRole('status').filter({ hasText: /^\s*(0|No) workloads/i }).waitFor();
  assert.equal(await search.inputValue(), '"><img src=x onerror=alert(1)>');
  assert.equal(await page.locator('img[src=x]').count(), 0);

  await openReport(page);
  await page.getByRole('combobox', { name: 'Type' }).selectOption('Server');
  await page.getByRole('button', { name: 'Search', exact: true }).click();
  const servers = truth.workloads.filter((one) => one.type === 'Server').length;
  await page.getByRole('status').filter({ hasText: new RegExp(`^\\s*${servers} workloads?`) }).waitFor();
  assert.equal((await names()).length, servers);

  await openReport(page);
  const heading = () => table.getByRole('columnheader', { name: /Workload/ });
  await heading().getByRole('link').click();
  await page.waitForURL(/sort=/);
  const first = (await names())[0];
  await heading().getByRole('link').click();
  await page.waitForURL((url) => url.search.includes('desc'));
  assert.notEqual((await names())[0], first, 'sorting the other way round changes nothing');
  assert.match((await heading().getAttribute('aria-sort')) ?? '', /descending/);

  const many = truth.workloads.length;
  assert.ok((await names()).length <= 50);
  if (many > 50) {
    await page.getByRole('link', { name: 'Next page' }).click();
    await page.waitForFunction((rows) => document.querySelectorAll('main table tbody tr').length > 0 && rows, many);
    assert.ok((await names()).length > 0);
  }
  assert.deepEqual(page.objections, []);
}
