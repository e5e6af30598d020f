"""What is measured: a row for each line of the goals, with who does it and how well it must be done.

A row is a generator of cases; what a case needs stands while it is yielded. The subject is always called `Tidegauge`.
"""
import glob
import json
import os
import re
import shutil
import subprocess
import time
import tomllib
import urllib.request
from dataclasses import dataclass, field
from typing import Callable

import prometheus
from measure import Failed, Running, cpu_seconds, free_port, memory_mb, run_line
from postgres import Postgres

SUBJECT = "Tidegauge"
HERE = os.path.dirname(os.path.abspath(__file__))
CONNECTIONS = 64


@dataclass
class Goal:
    """`metric` of the subject is to be at most (or at least) `limit`, or that many times the same of `against`."""
    limit: float
    against: str = ""
    metric: str = ""
    most: bool = True


@dataclass
class Case:
    title: str
    # The figure that contestants are compared by, and its unit; less is better unless said.
    metric: str
    unit: str
    contestants: dict
    goals: list = field(default_factory=list)
    more_is_better: bool = False
    # Other figures that are shown.
    shown: tuple = ()
    # Contestants that run in the first round only: minutes long, or no rivals.
    once: tuple = ()
    durable: bool = False


@dataclass
class Row:
    key: str
    title: str
    cases: Callable


class Context:
    """The binary, the peers, where files lie, and how large everything is."""

    def __init__(self, binary, peers, work, quick):
        self.binary, self.peers, self.work, self.quick = binary, peers, work, quick
        self.commands = []

    def path(self, name):
        return os.path.join(self.work, name)

    def sized(self, quick, full):
        return quick if self.quick else full

    def ours(self, *arguments, fresh=None, seconds=900):
        """A run of `tidegauge bench` in a folder or file of its own that is made anew."""
        if fresh:
            removed(fresh)
        self.note("tidegauge bench " + " ".join(str(part) for part in arguments))
        return run_line([self.binary, "bench", *arguments], seconds)

    def theirs(self, script, *arguments, seconds=900):
        if not self.peers.python:
            raise Failed("the Python peers are not there")
        self.note(f"python benches/peers/{script} " + " ".join(str(part) for part in arguments))
        return run_line([self.peers.python, os.path.join(HERE, script), *arguments], seconds)

    def note(self, command):
        """Commands as they were run, without this machine's paths and ports."""
        command = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", command.replace(self.work + os.sep, ""))
        if command not in self.commands:
            self.commands.append(command)

    def generated(self, emit, workloads, hours):
        """A file of the generated provider, made once a run."""
        path = self.path(f"{workloads}x{hours}.{emit}")
        if not os.path.exists(path):
            self.ours("generate", "--workloads", workloads, "--hours", hours, "--emit", emit, "--out", path)
        return path


def removed(path):
    if os.path.isdir(path):
        shutil.rmtree(path)
    elif os.path.exists(path):
        os.unlink(path)


def right(line, key="ok"):
    """The line, if it says that the answer is right."""
    if line.get(key) is not True:
        raise Failed("the answer is not the truth")
    return line


def sweep(context):
    sizes = context.sized([10_000], [10_000, 100_000])
    for workloads in sizes:
        for title, in_turn in (("hour after hour: pages differ", 24 if workloads < 100_000 else 6), ("the same hour again: pages repeat", 1)):
            port, secure = free_port(), free_port()
            command = [context.binary, "bench", "serve", "--workloads", workloads, "--hours", 24, "--in-turn", in_turn, "--listen", f"127.0.0.1:{port}"]
            with Running(command, port):
                url, count = f"http://127.0.0.1:{port}", context.sized(6, 12)
                contestants = {
                    SUBJECT: lambda: context.ours("collect", "--url", url, "--sweeps", count, "--store", context.path("collect"), fresh=context.path("collect")),
                    "httpx + orjson + SQLite": lambda: context.theirs("sweep.py", "--client", "httpx", "--url", url, "--sweeps", count, "--store", context.path("collect.db")),
                    "requests + json + SQLite": lambda: context.theirs("sweep.py", "--client", "requests", "--url", url, "--sweeps", count, "--store", context.path("collect.db")),
                }
                if in_turn == 1 and context.peers.programs["prometheus"] and workloads == 10_000:
                    contestants["Prometheus, scraping, not synced"] = lambda: prometheus.scrapes(context.peers, context.path("scrape"), f"127.0.0.1:{port}", workloads, context.sized(10, 30))
                goals = [Goal(1 / 4, "httpx + orjson + SQLite"), Goal(1 / 4, "httpx + orjson + SQLite", "sweep_wall_s")]
                yield Case(f"{workloads:,} workloads, {title}", "us_cpu_per_sample", "µs CPU a workload", contestants, goals,
                           shown=("sweep_wall_s", "sweep_cpu_s", "vm_hwm_mb"), once=("Prometheus, scraping, not synced",), durable=True)


def storage(context):
    for workloads, hours in context.sized([(10_000, 24)], [(10_000, 48), (100_000, 24)]):
        raw = context.generated("raw", workloads, hours)
        contestants = {SUBJECT: lambda: context.ours("store", "--workloads", workloads, "--hours", hours, "--store", context.path("stored"), fresh=context.path("stored"))}
        for name, engine in (("SQLite, changed rows", "sqlite-changes"), ("SQLite, a row a sample", "sqlite-rows"), ("DuckDB, columns", "duckdb")):
            contestants[name] = lambda engine=engine: context.theirs("storage.py", "--engine", engine, "--raw", raw, "--store", context.path(f"{engine}.db"))
        yield Case(f"{workloads:,} workloads, {hours} hours, one durable commit an hour", "samples_per_s", "workload-samples a second", contestants,
                   [Goal(4, "SQLite, changed rows", most=False)], more_is_better=True, shown=("sweep_us_median",), durable=True)


def size(context):
    goals = {720: (0.15, 0.6), 8_760: (0.12, 0.5)}
    for hours in context.sized([720], [720, 8_760]):
        raw = context.generated("raw", 1_000, hours)
        contestants = {
            SUBJECT: lambda: context.ours("store", "--workloads", 1_000, "--hours", hours, "--store", context.path("sized"), fresh=context.path("sized")),
            "SQLite, changed rows": lambda: context.theirs("storage.py", "--engine", "sqlite-changes", "--raw", raw, "--store", context.path("sized.db")),
        }
        if context.peers.programs["promtool"]:
            contestants["Prometheus blocks"] = lambda: prometheus.filled(context.peers, raw, context.path("blocks"))
        ours, with_state = goals[hours]
        yield Case(f"1,000 workloads, {hours:,} hours", "bytes_per_sample", "bytes a workload-sample", contestants,
                   [Goal(ours), Goal(with_state, metric="bytes_per_sample_with_state")], shown=("bytes_per_sample_with_state", "journal_bytes", "state_bytes"),
                   once=(SUBJECT, "SQLite, changed rows", "Prometheus blocks"))


def marks(context):
    for workloads, hours in context.sized([(1_000, 8_760)], [(1_000, 8_760), (10_000, 720)]):
        raw, truth = context.generated("raw", workloads, hours), context.generated("truth", workloads, hours)
        for engine in ("sqlite-changes", "duckdb"):
            if not (context.quick and engine == "duckdb"):
                context.theirs("storage.py", "--engine", engine, "--raw", raw, "--store", context.path(f"marks-{engine}.db"))
        of, store = ["--workloads", workloads, "--hours", hours], context.path(f"marks-{workloads}")
        removed(store)

        def ours():
            if not os.path.exists(store):
                context.ours("store", *of, "--store", store)
            return right(context.ours("marks", *of, "--store", store, "--recompute"))

        contestants = {SUBJECT: ours}
        for name, engine in (("SQLite, changed rows", "sqlite-changes"), ("DuckDB", "duckdb")):
            if not (context.quick and engine == "duckdb"):
                contestants[name] = lambda engine=engine: right(context.theirs("marks.py", "--engine", engine, "--store", context.path(f"marks-{engine}.db"), "--hours", hours, "--truth", truth))
        if not context.quick and context.peers.programs["promtool"] and context.peers.programs["prometheus"]:
            blocks = context.path("marks-blocks")
            prometheus.filled(context.peers, raw, blocks)
            contestants["Prometheus"] = lambda: right(prometheus.marks(context.peers, blocks, hours, truth))
        goals = [Goal(5), Goal(50, metric="recomputed_ms")] if workloads == 1_000 else []
        yield Case(f"{workloads:,} workloads, {hours:,} hours, every week by tenant and type", "marks_ms", "ms", contestants, goals,
                   shown=("open_ms", "kept_us", "recomputed_ms", "proved_ms"), once=("Prometheus",))
        if workloads == 1_000 and not context.quick:
            of, store = ["--workloads", workloads, "--hours", 10 * hours], context.path("marks-ten-years")
            removed(store)
            yield Case("1,000 workloads, ten years, every week by tenant and type", "marks_ms", "ms", {SUBJECT: ours}, shown=("open_ms", "kept_us", "recomputed_ms", "proved_ms"))


def paper(context, rows):
    """Draws the report and counts its rows as a reader of the file sees them."""
    out = context.path("report.pdf")
    line = context.ours("report", "--rows", rows, "--format", "pdf", "--out", out, fresh=out)
    if context.peers.programs["pdftotext"]:
        text = subprocess.run([context.peers.programs["pdftotext"], "-layout", out, "-"], capture_output=True, text=True).stdout
        # Each row has the name of its workload once, which may be cut where its column ends.
        drawn = len(re.findall(r"\bapp-\d", text))
        if drawn < rows:
            raise Failed(f"{drawn} rows of {rows} are in the PDF")
    return line


def report(context):
    for rows, most in ((10_000, 0.3), (100_000, 3.0)) if not context.quick else ((10_000, 0.3),):
        contestants = {
            SUBJECT: lambda: paper(context, rows),
            "ReportLab canvas": lambda: context.theirs("papers.py", "--engine", "reportlab-canvas", "--rows", rows, "--out", context.path("canvas.pdf")),
        }
        yield Case(f"PDF, {rows:,} rows", "cpu_s", "s CPU", contestants, [Goal(most), Goal(150, metric="vm_hwm_mb")], shown=("wall_s", "vm_hwm_mb", "bytes", "pages"))


def tables(context):
    rows = context.sized(10_000, 100_000)
    for format, engine, name, most in (("csv", "csv", "Python csv", 0.05), ("json", "json", "Python json", 0.08), ("xlsx", "xlsxwriter", "XlsxWriter", 0.8)):
        out = context.path(f"table.{format}")
        contestants = {
            SUBJECT: lambda: context.ours("report", "--rows", rows, "--format", format, "--out", out, fresh=out),
            name: lambda: context.theirs("papers.py", "--engine", engine, "--rows", rows, "--out", context.path(f"peer.{format}")),
        }
        yield Case(f"{format.upper()}, {rows:,} rows", "cpu_s", "s CPU", contestants, [Goal(most * rows / 100_000)], shown=("wall_s", "vm_hwm_mb", "bytes"))


def at_rest(command, port, seconds, environment=None):
    with Running(command, port, environment) as running:
        time.sleep(3)
        pids, began = running.pids(), time.perf_counter()
        before = cpu_seconds(pids)
        time.sleep(seconds)
        used = (cpu_seconds(pids) - before) / (time.perf_counter() - began) * 3600
        memory = {f"{name}_mb": memory_mb(running.pids(), kind) for name, kind in (("rss", "Rss"), ("pss", "Pss"), ("anonymous", "Anonymous"))}
        return {**memory, "cpu_s_per_hour": used, "ready_ms": running.ready_ms}


def idle(context):
    estate, seconds = context.path("estate"), context.sized(10, 60)
    removed(estate)

    def ours():
        if not os.path.exists(estate):
            context.ours("estate", "--workloads", 1_000, "--years", 1, "--listen", f"127.0.0.1:{free_port()}", "--out", estate, seconds=1_800)
        with open(os.path.join(estate, "tidegauge.toml"), "rb") as file:
            console = int(tomllib.load(file)["console"]["listen"].rsplit(":", 1)[1])
        return at_rest([context.binary, "agent", "--config", os.path.join(estate, "tidegauge.toml")], console, seconds)

    contestants = {SUBJECT: ours}
    contestants["Python agent"] = lambda: at_rest([context.peers.python, os.path.join(HERE, "idle.py"), port := free_port()], port, seconds)
    with open(context.path("idle.yml"), "w") as file:
        file.write("global: {scrape_interval: 60s}\n")
    if context.peers.programs["vmagent"]:
        contestants["vmagent"] = lambda: at_rest([context.peers.programs["vmagent"], f"-promscrape.config={context.path('idle.yml')}", f"-httpListenAddr=127.0.0.1:{(port := free_port())}",
                                                  f"-remoteWrite.url=http://127.0.0.1:{free_port()}/", f"-remoteWrite.tmpDataPath={context.path('vmagent')}"], port, seconds, context.peers.environment("vmagent"))
    if context.peers.programs["prometheus"]:
        contestants["Prometheus"] = lambda: at_rest([context.peers.programs["prometheus"], f"--config.file={context.path('idle.yml')}", f"--storage.tsdb.path={context.path('idle-tsdb')}",
                                                     f"--web.listen-address=127.0.0.1:{(port := free_port())}", "--log.level=error"], port, seconds, context.peers.environment("prometheus"))
    yield Case(f"Nothing due, {seconds} s; Tidegauge with a year of 1,000 workloads and its console", "rss_mb", "MB resident", contestants,
               [Goal(16), Goal(0.5, metric="cpu_s_per_hour"), Goal(40, metric="ready_ms")], shown=("anonymous_mb", "pss_mb", "cpu_s_per_hour", "ready_ms"), once=("Python agent", "vmagent", "Prometheus"))


def sampled(context, servers, workloads, rounds):
    """An agent with so many servers on real sockets, from its start to the end of so many rounds."""
    folder, port, console = context.path("fleet"), free_port(), free_port()
    removed(folder)
    os.makedirs(folder)
    many = ["--workloads", workloads, "--hours", 2, "--in-turn", 2, "--servers", servers]
    context.note("tidegauge bench serve " + " ".join(str(part) for part in many) + " --settings fleet; tidegauge agent --config fleet/tidegauge.toml")

    def told():
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
            return json.load(answer)

    with Running([context.binary, "bench", "serve", *many, "--listen", f"127.0.0.1:{port}", "--settings", folder, "--console", f"127.0.0.1:{console}"], port):
        settings, ends = os.path.join(folder, "tidegauge.toml"), []
        began = time.perf_counter()
        with Running([context.binary, "agent", "--config", settings], console) as agent:
            for number in range(rounds):
                while told()["reads"] <= number:
                    if time.perf_counter() - began > 900:
                        raise Failed(f"{number} rounds were done within 15 minutes")
                    time.sleep(0.1)
                ends.append((time.perf_counter() - began, cpu_seconds(agent.pids())))
            # What was read last is being recorded.
            time.sleep(2)
            most, now = memory_mb(agent.pids(), "VmHWM"), memory_mb(agent.pids(), "Rss")
        marks = subprocess.run([context.binary, "watermark", "--config", settings, "--json"], capture_output=True, text=True, check=True)
        points = sum(float(mark["points"] or 0) for mark in json.loads(marks.stdout))
        if abs(points - float(told()["points"])) > 0.01 * points:
            raise Failed(f"{points} points were counted of {told()['points']}")
    line = {"vm_hwm_mb": most, "rss_mb": now, "first_round_s": ends[0][0], "first_round_cpu_s": ends[0][1]}
    return {**line, "round_cpu_s": (ends[-1][1] - ends[0][1]) / (rounds - 1)} if rounds > 1 else line


def fleet(context):
    servers, workloads, rounds = context.sized((50, 20_000, 1), (500, 200_000, 3))
    yield Case(f"{servers} VBR servers on real sockets, {workloads:,} workloads in all, {rounds} rounds five minutes apart", "vm_hwm_mb", "MB resident at most",
               {SUBJECT: lambda: sampled(context, servers, workloads, rounds)}, [Goal(1_024)], shown=("first_round_s", "first_round_cpu_s", "round_cpu_s", "rss_mb"), once=(SUBJECT,))


def loaded(context, script, url, seconds, environment=None, connections=CONNECTIONS):
    if not context.peers.programs["wrk"]:
        raise Failed("wrk is not there")
    command = [context.peers.programs["wrk"], "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", os.path.join(HERE, script), url]
    context.note(f"wrk -t1 -c{connections} -d{seconds}s -s benches/peers/{script} http://127.0.0.1:PORT")
    line = run_line(command, env={**context.peers.environment("wrk"), **(environment or {})})
    if line["refused"]:
        raise Failed(f"{line['refused']} posts failed")
    return line


def counted(server, pids, load):
    """The load, with what a post cost the server and what it holds."""
    before = cpu_seconds(pids())
    line = load()
    return {**line, "us_cpu_per_post": (cpu_seconds(pids()) - before) / max(line["posted"], 1) * 1e6, "rss_mb": memory_mb(server.pids(), "Rss")}


def fastapi(context, postgres, seconds):
    port = free_port()
    command = [context.peers.python, "-m", "uvicorn", "--app-dir", HERE, "receiver:app", "--port", port, "--no-access-log", "--log-level", "error"]
    with Running(command, port, {"POSTGRES": postgres.url}) as server:
        return counted(server, lambda: server.pids() + postgres.pids(), lambda: loaded(context, "telemetry.lua", f"http://127.0.0.1:{port}", seconds))


def fastify(context, postgres, seconds):
    if not context.peers.node:
        raise Failed("Fastify is not there")
    port = free_port()
    with Running(["node", os.path.join(HERE, "receiver.mjs"), port, postgres.url], port, cwd=context.peers.node) as server:
        return counted(server, lambda: server.pids() + postgres.pids(), lambda: loaded(context, "telemetry.lua", f"http://127.0.0.1:{port}", seconds))


def nginx(context, seconds):
    port, own = free_port(), context.path("nginx")
    os.makedirs(own, exist_ok=True)
    temporary = " ".join(f"{kind}_temp_path {own};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    with open(f"{own}/nginx.conf", "w") as file:
        file.write(f"worker_processes 1; pid {own}/pid; error_log {own}/error.log; daemon off; events {{ worker_connections 2048; }}\n"
                   f"http {{ access_log off; keepalive_requests 100000000; {temporary} server {{ listen 127.0.0.1:{port}; location / {{ return 200 '{{}}'; }} }} }}\n")
    with Running([context.peers.programs["nginx"], "-p", own, "-c", f"{own}/nginx.conf", "-e", f"{own}/error.log"], port, context.peers.environment("nginx")) as server:
        return counted(server, server.pids, lambda: loaded(context, "telemetry.lua", f"http://127.0.0.1:{port}", seconds))


@dataclass
class Messages:
    """A founded License Update Server, and messages that agents enrolled there have signed."""
    folder: str
    file: str
    # Messages from the beginning of the file that a database has already.
    on_file: int = 0


def messages_of(context, name, *how):
    made = Messages(context.path(f"enrolled-{name}"), context.path(f"messages-{name}"))
    removed(made.folder), removed(made.file)
    context.ours("messages", "--state", made.folder, "--out", made.file, *how)
    return made


def license_server(context, made, seconds, connections=CONNECTIONS):
    """Distinct messages against a copy of the folder; afterwards every answer must be an entry of its journal."""
    folder, port = context.path("license-server"), free_port()
    removed(folder)
    shutil.copytree(made.folder, folder)
    before = context.ours("receipts", "--server", folder)["entries"]
    with Running([context.binary, "license-server", "run", "--state", folder, "--listen", f"127.0.0.1:{port}"], port) as server:
        line = posted(context, made, port, seconds, connections, server, server.pids)
    kept = context.ours("receipts", "--server", folder)["entries"] - before
    # What was under way when the load ended may be kept and not answered.
    if not line["posted"] <= kept <= line["posted"] + connections:
        raise Failed(f"{line['posted']} messages were answered and {kept} are in the journal")
    return line


def on_postgres(context, made, seconds, base):
    """The same over PostgreSQL, where agents and messages of earlier rounds are on file already."""
    port = free_port()
    with Running([context.binary, "license-server", "run", "--state", made.folder, "--listen", f"127.0.0.1:{port}", "--database", base.url], port) as server:
        line = posted(context, made, port, seconds, CONNECTIONS, server, lambda: server.pids() + base.pids())
    made.on_file += line["posted"] + CONNECTIONS
    return line


def posted(context, made, port, seconds, connections, server, pids):
    load = ["post", "--url", f"http://127.0.0.1:{port}", "--connections", connections, "--seconds", seconds, "--messages", made.file, "--skip", made.on_file]

    def run():
        line = context.ours(*load)
        if line["refused"] or not line["posted"]:
            raise Failed(f"{line['refused']} messages were refused, {line['posted']} accepted")
        if line["wall_s"] < min(1, seconds):
            raise Failed(f"all {line['posted']} messages were posted within {line['wall_s']:.2f} s: make more")
        return line

    return counted(server, pids, run)


def telemetry(context):
    seconds, many = context.sized(3, 5), ["--agents", 1_000, "--weeks", context.sized(80, 300)]
    made = []

    def embedded():
        made[:] = made or [messages_of(context, "embedded", *many)]
        return license_server(context, made[0], seconds)

    shown = ("p50_ms", "p99_ms", "us_cpu_per_post", "rss_mb")
    goal = lambda times: [Goal(times, "Node.js: Fastify + PostgreSQL", most=False), Goal(1 / 4, "FastAPI + PostgreSQL", "p99_ms")]
    with Postgres(context.peers, context.path("postgres")) as base:
        peers = {"Node.js: Fastify + PostgreSQL": lambda: fastify(context, base, seconds), "FastAPI + PostgreSQL": lambda: fastapi(context, base, seconds)}
        ceiling = {"nginx, a fixed answer: the ceiling": lambda: nginx(context, seconds)} if context.peers.programs["nginx"] else {}
        yield Case(f"Embedded store, {CONNECTIONS} connections", "posts_per_s", "posts a second", {SUBJECT: embedded, **peers, **ceiling}, goal(2.5),
                   more_is_better=True, shown=shown, durable=True)
        kept = []

        def shared():
            kept[:] = kept or [messages_of(context, "postgres", "--database", base.url, *many)]
            return on_postgres(context, kept[0], seconds, base)

        yield Case(f"On PostgreSQL, {CONNECTIONS} connections", "posts_per_s", "posts a second", {SUBJECT: shared, **peers}, goal(1.5),
                   more_is_better=True, shown=shown, durable=True)


def reports(context):
    seconds, rows, connections = context.sized(3, 8), 10_000, 4
    body = context.path("report.json")
    with open(body, "w") as file:
        workloads = [{"name": f"vm-{n:07d}", "hostName": f"esx{n % 97:02d}.example.net", "usedInstancesNumber": 11.0, "type": "VM", "instanceId": f"{n:032x}"} for n in range(rows)]
        json.dump({"data": workloads}, file, separators=(",", ":"))
    made = []

    def receiving():
        made[:] = made or [messages_of(context, "reports", "--agents", context.sized(50, 100), "--weeks", context.sized(4, 8), "--report-rows", rows)]
        return license_server(context, made[0], seconds, connections)

    def reporting():
        port, base = free_port(), context.path("reports.db")
        removed(base)
        command = [context.peers.python, "-m", "uvicorn", "--app-dir", HERE, "receiver:app", "--port", port, "--no-access-log", "--log-level", "error"]
        with Running(command, port, {"SQLITE": base}) as server:
            return counted(server, server.pids, lambda: loaded(context, "report.lua", f"http://127.0.0.1:{port}", seconds, {"REPORT": body}, connections))

    contestants = {SUBJECT: receiving, "FastAPI + SQLite": reporting}
    yield Case(f"Reports of {rows:,} workload rows, {connections} connections", "posts_per_s", "reports a second", contestants, [Goal(50, most=False)],
               more_is_better=True, shown=("p99_ms", "us_cpu_per_post", "rss_mb"), durable=True)


def year(context):
    # A year of 10,000 workloads takes more than ten minutes, so nobody waits for it here.
    for title, folder, most in (("the store in memory", None, 3), ("the store on disk", context.path("year"), 10)):
        where = ["--on-disk", folder] if folder else []
        contestants = {SUBJECT: lambda: context.ours("year", "--workloads", 1_000, *where, fresh=folder, seconds=1_800)}
        yield Case(f"1,000 workloads hourly, {title}", "wall_s", "s", contestants, [Goal(most)], shown=("cpu_s", "vm_hwm_mb", "duties"), durable=bool(folder))


ROWS = [
    Row("sweep", "One sweep over REST on loopback, until it is durable", sweep),
    Row("storage", "Storage alone", storage),
    Row("size", "Bytes on disk of a workload-sample", size),
    Row("marks", "All weekly high watermarks, by tenant and type", marks),
    Row("report", "The report as PDF", report),
    Row("tables", "The report as CSV, JSON and XLSX", tables),
    Row("idle", "The idle agent, and how soon it is ready", idle),
    Row("fleet", "One agent with 500 servers", fleet),
    Row("telemetry", "License Update Server: durable telemetry", telemetry),
    Row("reports", "License Update Server: reports", reports),
    Row("year", "A simulated year of the whole system", year),
]
