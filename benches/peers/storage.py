"""Samples as tables of a database, one durable commit a sample; making the samples is outside the clock.

sqlite-rows: an integer row for every workload of every sample, and a catalogue.
sqlite-changes: the careful design; what a workload counts for, when that changed, and that the sample was taken.
duckdb: a row for every workload of every sample, inserted as columns.
"""
import argparse
import json
import os
import statistics
import time

from own import largest_resident_mb
from raw import Raw

arguments = argparse.ArgumentParser(description=__doc__)
arguments.add_argument("--engine", choices=["sqlite-rows", "sqlite-changes", "duckdb"], required=True)
arguments.add_argument("--raw", required=True)
arguments.add_argument("--store", required=True)
asked = arguments.parse_args()
raw = Raw(asked.raw)
for end in ("", "-wal", "-shm", ".wal"):
    if os.path.exists(asked.store + end):
        os.unlink(asked.store + end)

if asked.engine == "duckdb":
    import duckdb
    base = duckdb.connect(asked.store)
    base.execute("create table sample (taken_at integer, number integer, tenant smallint, kind tinyint, tenths integer, counts boolean)")
else:
    import sqlite3
    base = sqlite3.connect(asked.store, isolation_level=None)
    base.execute("pragma journal_mode = wal")
    base.execute("pragma synchronous = full")
    base.execute("create table workload (number integer primary key, id text, name text, tenant integer, kind integer, first_month integer)")
    if asked.engine == "sqlite-rows":
        base.execute("create table sample (taken_at integer, number integer, tenths integer, primary key (taken_at, number)) without rowid")
    else:
        base.execute("create table change (taken_at integer, number integer, tenths integer, primary key (taken_at, number)) without rowid")
        base.execute("create table taken (taken_at integer primary key, workloads integer)")

known, standing = set(), {}


def catalogue(numbers):
    fresh = [number for number in numbers if number not in known]
    known.update(fresh)
    return [(n, f"{n:032x}", raw.name(n), int(raw.tenant[n]), int(raw.kind[n]), int(raw.first_month[n])) for n in fresh]


def rows_of(taken_at, numbers, tenths, counts):
    return catalogue(numbers), [(taken_at, number, points) for number, points in zip(numbers, tenths.tolist())]


def keep_rows(_, prepared):
    fresh, rows = prepared
    base.execute("begin")
    base.executemany("insert into workload values (?, ?, ?, ?, ?, ?)", fresh)
    base.executemany("insert into sample values (?, ?, ?)", rows)
    base.execute("commit")


def counting_of(taken_at, numbers, tenths, counts):
    return catalogue(numbers), dict(zip(numbers, (tenths * counts).tolist()))


def keep_changes(taken_at, prepared):
    global standing
    fresh, counting = prepared
    changes = [(taken_at, number, points) for number, points in counting.items() if standing.get(number, 0) != points]
    changes += [(taken_at, number, 0) for number, points in standing.items() if points and number not in counting]
    standing = counting
    base.execute("begin")
    base.executemany("insert into workload values (?, ?, ?, ?, ?, ?)", fresh)
    base.executemany("insert into change values (?, ?, ?)", changes)
    base.execute("insert into taken values (?, ?)", (taken_at, len(counting)))
    base.execute("commit")


def columns_of(taken_at, numbers, tenths, counts):
    import numpy as np
    at = np.array(numbers)
    return {"taken_at": np.full(len(at), taken_at, np.int32), "number": at.astype(np.int32), "tenant": raw.tenant[at].astype(np.int16),
            "kind": raw.kind[at].astype(np.int8), "tenths": tenths.astype(np.int32), "counts": counts}


def keep_columns(_, columns):
    base.execute("begin")
    base.execute("insert into sample select * from columns")
    base.execute("commit")


prepare, keep = {"sqlite-rows": (rows_of, keep_rows), "sqlite-changes": (counting_of, keep_changes), "duckdb": (columns_of, keep_columns)}[asked.engine]
took, cpu, samples = [], 0.0, 0
for taken_at, month, numbers, tenths in raw.samples():
    prepared = prepare(taken_at, numbers.tolist(), tenths, raw.first_month[numbers] < month)
    wall, used = time.perf_counter(), time.process_time()
    keep(taken_at, prepared)
    took.append(time.perf_counter() - wall)
    cpu += time.process_time() - used
    samples += len(numbers)
if asked.engine == "duckdb":
    base.execute("checkpoint")
    base.close()
else:
    base.execute("pragma wal_checkpoint(truncate)")
print(json.dumps({"samples": samples, "samples_per_s": samples / len(took) / statistics.median(took), "sweep_us_median": statistics.median(took) * 1e6,
                  "us_cpu_per_sample": cpu / samples * 1e6, "bytes_per_sample": os.path.getsize(asked.store) / samples, "vm_hwm_mb": largest_resident_mb()}))
