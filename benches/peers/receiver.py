"""The receiving side of telemetry and reports as a small team would write it: FastAPI, one durable commit a request.

Telemetry goes to PostgreSQL through asyncpg, reports to SQLite with all their rows. Signatures are not verified.
"""
import os
import sqlite3
import threading
from contextlib import asynccontextmanager

import asyncpg
from fastapi import FastAPI
from pydantic import BaseModel


class TypeTotal(BaseModel):
    type: str
    count: int
    points: float


class Telemetry(BaseModel):
    installation: str
    contract: str
    week: int
    sequence: int
    total: float
    types: list[TypeTotal]


class Workload(BaseModel):
    name: str
    hostName: str
    usedInstancesNumber: float
    type: str
    instanceId: str


class Report(BaseModel):
    data: list[Workload]


own = threading.local()


@asynccontextmanager
async def lifespan(app):
    app.pool = None
    if os.environ.get("POSTGRES"):
        app.pool = await asyncpg.create_pool(os.environ["POSTGRES"], min_size=8, max_size=16)
        await app.pool.execute("create table if not exists telemetry (id bigserial primary key, installation text, week int, sequence bigint, total float8, body jsonb)")
    yield


app = FastAPI(lifespan=lifespan)


@app.post("/telemetry")
async def telemetry(message: Telemetry):
    await app.pool.execute("insert into telemetry (installation, week, sequence, total, body) values ($1, $2, $3, $4, $5)",
                           message.installation, message.week, message.sequence, message.total, message.model_dump_json())
    return {"ok": True}


def base():
    if not hasattr(own, "base"):
        own.base = sqlite3.connect(os.environ["SQLITE"], isolation_level=None, timeout=30)
        own.base.execute("pragma journal_mode = wal")
        own.base.execute("pragma synchronous = full")
        own.base.execute("create table if not exists report (report integer, name text, host text, points real, type text, id text)")
    return own.base


@app.post("/report")
def report(message: Report):
    kept = base()
    kept.execute("begin immediate")
    number = kept.execute("select coalesce(max(rowid), 0) + 1 from report").fetchone()[0]
    kept.executemany("insert into report values (?, ?, ?, ?, ?, ?)",
                     [(number, row.name, row.hostName, row.usedInstancesNumber, row.type, row.instanceId) for row in message.data])
    kept.execute("commit")
    return {"ok": True}
