"""The high watermark of every week by tenant and kind, asked of a store that storage.py has filled, and compared with the truth.

The clock runs over the query alone, the file open and its pages cached; the median of several.
"""
import argparse
import json
import statistics
import time

from raw import KINDS

BEGIN, WEEK = 1_704_067_200, 604_800

arguments = argparse.ArgumentParser(description=__doc__)
arguments.add_argument("--engine", choices=["sqlite-changes", "duckdb"], required=True)
arguments.add_argument("--store", required=True)
arguments.add_argument("--hours", type=int, required=True)
arguments.add_argument("--truth", required=True)
arguments.add_argument("--runs", type=int, default=3)
asked = arguments.parse_args()
end = BEGIN + asked.hours * 3600

if asked.engine == "sqlite-changes":
    import sqlite3
    base = sqlite3.connect(asked.store)
    # What each change adds to its group; a week begins with what stood, so every group has a row of nothing there.
    query = f"""
    with recursive week (begins) as (select {BEGIN} union all select begins + {WEEK} from week where begins + {WEEK} < {end}),
    step as (
      select taken_at, tenant, kind, tenths - lag(tenths, 1, 0) over (partition by number order by taken_at) as more
      from change join workload using (number)
      union all
      select begins, tenant, kind, 0 from week cross join (select distinct tenant, kind from workload)),
    moved as (select taken_at, tenant, kind, sum(more) as more from step group by taken_at, tenant, kind),
    level as (select taken_at, tenant, kind, sum(more) over (partition by tenant, kind order by taken_at) as points from moved)
    select (taken_at - {BEGIN}) / {WEEK}, tenant, kind, max(points) from level group by 1, 2, 3"""
else:
    import duckdb
    base = duckdb.connect(asked.store, read_only=True)
    query = f"""
    select (taken_at - {BEGIN}) // {WEEK} as week, tenant, kind, max(points)
    from (select taken_at, tenant, kind, sum(tenths) as points from sample where counts group by all) group by week, tenant, kind"""

took, cpu = [], []
for _ in range(asked.runs):
    wall, used = time.perf_counter(), time.process_time()
    rows = base.execute(query).fetchall()
    took.append(time.perf_counter() - wall)
    cpu.append(time.process_time() - used)

with open(asked.truth) as file:
    weeks = json.load(file)["weeks"]
right = {(week, tenant, kind): tenths for week, mark in enumerate(weeks) for tenant, kind, tenths in mark["groups"] if tenths}
answered = {(int(week), f"t{tenant:03d}", KINDS[kind]): int(points) for week, tenant, kind, points in rows if points}
print(json.dumps({"marks_ms": statistics.median(took) * 1e3, "marks_cpu_ms": statistics.median(cpu) * 1e3, "ok": answered == right}))
