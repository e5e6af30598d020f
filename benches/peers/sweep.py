"""One read of a backup server after the other, each durable: what a small team would write in Python.

The HTTP client keeps its connection, a page is parsed whole, a workload is known by a number after it was seen once, and
each sweep is one transaction of integer rows.
"""
import argparse
import json
import os
import sqlite3
import statistics
import time

from own import largest_resident_mb

arguments = argparse.ArgumentParser(description=__doc__)
arguments.add_argument("--url", required=True)
arguments.add_argument("--client", choices=["requests", "httpx"], required=True)
arguments.add_argument("--limit", type=int, default=200)
arguments.add_argument("--sweeps", type=int, default=5)
arguments.add_argument("--store", required=True)
asked = arguments.parse_args()

if asked.client == "requests":
    import requests
    session, loads = requests.Session(), json.loads
else:
    import httpx
    import orjson
    session, loads = httpx.Client(), orjson.loads

for end in ("", "-wal", "-shm"):
    if os.path.exists(asked.store + end):
        os.unlink(asked.store + end)
base = sqlite3.connect(asked.store, isolation_level=None)
base.execute("pragma journal_mode = wal")
base.execute("pragma synchronous = full")
base.execute("create table workload (number integer primary key, id text unique, name text, host text, type text, first_seen integer)")
base.execute("create table sample (taken_at integer, number integer, tenths integer, primary key (taken_at, number)) without rowid")
numbers = {}


def read_all():
    rows, total = [], None
    while total is None or len(rows) < total:
        answer = session.get(f"{asked.url}/api/v1/license/instances?skip={len(rows)}&limit={asked.limit}")
        page = loads(answer.content)
        if answer.status_code != 200 or (total is not None and page["pagination"]["total"] != total) or not page["data"]:
            raise SystemExit("the list moved while it was read")
        total = page["pagination"]["total"]
        rows += page["data"]
    return rows


def keep(taken_at, rows):
    base.execute("begin")
    fresh = [row for row in rows if row["instanceId"] not in numbers]
    for row in fresh:
        numbers[row["instanceId"]] = len(numbers) + 1
    base.executemany("insert into workload values (?, ?, ?, ?, ?, ?)",
                     [(numbers[row["instanceId"]], row["instanceId"], row["name"], row["hostName"], row["type"], taken_at) for row in fresh])
    base.executemany("insert into sample values (?, ?, ?)",
                     sorted((taken_at, numbers[row["instanceId"]], round(row["usedInstancesNumber"] * 10)) for row in rows))
    base.execute("commit")


walls, cpus, written = [], [], 0
for sweep in range(asked.sweeps + 1):
    wall, cpu = time.perf_counter(), time.process_time()
    rows = read_all()
    keep(1_704_067_200 + 3_600 * sweep, rows)
    walls.append(time.perf_counter() - wall)
    cpus.append(time.process_time() - cpu)
    written += len(rows)
if base.execute("select count(*) from sample").fetchone()[0] != written:
    raise SystemExit("samples are missing")
# The first sweep fills the store and is not counted.
wall, cpu = statistics.median(walls[1:]), statistics.median(cpus[1:])
print(json.dumps({"workloads": len(rows), "sweeps": asked.sweeps, "sweep_wall_s": wall, "sweep_cpu_s": cpu,
                  "us_cpu_per_sample": cpu / len(rows) * 1e6, "written": written, "vm_hwm_mb": largest_resident_mb()}))
