"""Prometheus as a peer: samples filled in by promtool, the size of its blocks, the weekly marks it answers, its scrapes."""
import json
import os
import shutil
import subprocess
import time
import urllib.parse
import urllib.request

from measure import Failed, Running, bytes_below, cpu_seconds, free_port, memory_mb, run_line

HERE = os.path.dirname(os.path.abspath(__file__))
BEGIN = 1_704_067_200


def filled(peers, raw_path, folder):
    """Blocks of at most a month with every sample; how many bytes a sample takes."""
    shutil.rmtree(folder, ignore_errors=True)
    text = f"{folder}.txt"
    # In the peers' own Python, which has what reads the samples.
    samples = run_line([peers.python, os.path.join(HERE, "openmetrics.py"), "--raw", raw_path, "--out", text])["samples"]
    made = subprocess.run([peers.programs["promtool"], "tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=744h", "-q", text, folder],
                          capture_output=True, text=True)
    os.unlink(text)
    if made.returncode != 0:
        raise Failed(f"promtool: {made.stderr.strip()[-200:]}")
    return {"samples": samples, "bytes_per_sample": bytes_below(folder) / samples}


def settings(folder, targets=(), every="1h"):
    path = f"{folder}.yml"
    scrape = "".join(f"- job_name: bench\n  static_configs: [{{targets: ['{target}']}}]\n" for target in targets)
    with open(path, "w") as file:
        file.write(f"global: {{scrape_interval: {every}, scrape_timeout: 5s}}\n" + (f"scrape_configs:\n{scrape}" if scrape else ""))
    return path


def serving(peers, folder, port, **scrape):
    return Running([peers.programs["prometheus"], f"--config.file={settings(folder, **scrape)}", f"--storage.tsdb.path={folder}", "--storage.tsdb.retention.time=20y",
                    f"--web.listen-address=127.0.0.1:{port}", "--query.max-samples=500000000", "--log.level=error"], port, peers.environment("prometheus"))


def asked(port, query, at):
    url = f"http://127.0.0.1:{port}/api/v1/query?" + urllib.parse.urlencode({"query": query, "time": at, "timeout": "120s"})
    with urllib.request.urlopen(url) as answer:
        return json.load(answer)["data"]["result"]


def marks(peers, folder, hours, truth_path):
    """The marks of every week by tenant and type, asked week by week, compared with the truth."""
    port = free_port()
    with serving(peers, folder, port):
        wait_until_ready(port)
        began, answered = time.perf_counter(), {}
        for week in range((hours + 167) // 168):
            length = min(168, hours - week * 168)
            end = BEGIN + (week * 168 + length) * 3600 - 1
            for row in asked(port, f'max_over_time(sum by (tenant, type) (license_points{{new="0"}})[{length}h:1h])', end):
                points = round(float(row["value"][1]) * 10)
                if points:
                    answered[week, row["metric"]["tenant"], row["metric"]["type"]] = points
        took = time.perf_counter() - began
    with open(truth_path) as file:
        weeks = json.load(file)["weeks"]
    right = {(week, tenant, kind): tenths for week, mark in enumerate(weeks) for tenant, kind, tenths in mark["groups"] if tenths}
    return {"marks_ms": took * 1e3, "ok": answered == right}


def wait_until_ready(port):
    for _ in range(2_000):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=1).read()
            return
        except OSError:
            time.sleep(0.01)
    raise Failed("prometheus is not ready after 20 s")


def scrapes(peers, folder, target, workloads, seconds):
    """CPU of a scrape of so many series every 5 seconds; a scrape is not synced to disk."""
    shutil.rmtree(folder, ignore_errors=True)
    port = free_port()
    with serving(peers, folder, port, targets=[target], every="5s") as server:
        wait_until_ready(port)
        time.sleep(11)
        before = cpu_seconds(server.pids())
        time.sleep(seconds)
        used = (cpu_seconds(server.pids()) - before) / (seconds / 5)
        return {"sweep_cpu_s": used, "us_cpu_per_sample": used / workloads * 1e6, "rss_mb": memory_mb(server.pids(), "Rss")}
