// Finding and choosing workloads on the report page.
import assert from 'node:assert/strict';
import { month, report, reportPage, server } from './browser.mjs';

/** The report's page, from its top. */
export async function openReport(page, more = '') {
  const answer = await page.goto(`${reportPage}${more}`);
  assert.equal(answer.status(), 200, reportPage);
  assert.match(await page.getByRole('heading', { level: 1 }).innerText(), /2026-10|October 2026/, `${server} ${month}`);
}

/** Ticks the first workloads of the page that count; gives them as the command line has them. */
export async function tick(page, many) {
  const counted = new Map(report().workloads.filter((one) => one.counted).map((one) => [one.name, one]));
  const chosen = [];
  for (const box of await page.getByRole('checkbox', { name: /^Select / }).all()) {
    const name = (await box.getAttribute('aria-label')) ?? (await box.evaluate((element) => element.labels[0].textContent));
    const workload = counted.get(name.trim().replace(/^Select /, ''));
    if (!workload || chosen.includes(workload)) continue;
    await box.check();
    chosen.push(workload);
    if (chosen.length === many) return chosen;
  }
  throw new Error(`only ${chosen.length} of ${many} workloads can be chosen`);
}

/** The points of these workloads together. */
export function pointsOf(workloads) {
  return workloads.reduce((sum, one) => sum + Number(one.points), 0);
}

/** Fills in the reason and asks for the effect. */
export async function preview(page, reason) {
  await page.getByLabel('Reason', { exact: true }).fill(reason);
  await page.getByRole('button', { name: 'Preview', exact: true }).click();
  const effect = page.getByRole('region', { name: 'Effect' });
  await effect.waitFor();
  return effect;
}
