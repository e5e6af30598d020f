"""What a process costs, and what the machine was like meanwhile (Linux)."""
import json
import os
import pwd
import socket
import statistics
import subprocess
import tempfile
import time

TICKS = os.sysconf("SC_CLK_TCK")


class Failed(Exception):
    """A contestant did not run, or its answer is wrong."""


def run_line(command, seconds=900, env=None, cwd=None):
    """Runs a program; its last line of JSON, with the time of the whole process as seen from outside."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        began = time.perf_counter()
        child = subprocess.Popen([str(part) for part in command], stdout=out, stderr=err, cwd=cwd, env={**os.environ, **(env or {})})
        killed = False
        while True:
            pid, status, used = os.wait4(child.pid, os.WNOHANG)
            if pid:
                break
            if time.perf_counter() - began > seconds and not killed:
                child.kill()
                killed = True
            time.sleep(0.002)
        child.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - began
        out.seek(0), err.seek(0)
        lines = out.read().decode(errors="replace").strip().splitlines()
        if killed or child.returncode != 0 or not lines:
            words = err.read().decode(errors="replace").strip().splitlines()
            telling = [line for line in words if line.startswith(("error", "tidegauge:"))] + words[-1:] + [f"exit code {child.returncode}"]
            why = f"not done within {seconds} s" if killed else telling[0]
            raise Failed(f"{os.path.basename(str(command[0]))} {command[1] if len(command) > 1 else ''}: {why}"[:300])
    try:
        line = json.loads(lines[-1])
    except ValueError:
        raise Failed(f"{command[0]}: no JSON in {lines[-1][:200]!r}") from None
    return {**line, "process_cpu_s": used.ru_utime + used.ru_stime, "process_wall_s": wall}


def tree(pid):
    """The process and all below it."""
    found, to_visit = [], [pid]
    while to_visit:
        at = to_visit.pop()
        found.append(at)
        try:
            for thread in os.listdir(f"/proc/{at}/task"):
                with open(f"/proc/{at}/task/{thread}/children") as children:
                    to_visit += [int(child) for child in children.read().split()]
        except OSError:
            pass
    return found


def cpu_seconds(pids):
    """User and system seconds of processes, those of threads that ended included."""
    total = 0.0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/stat") as stat:
                fields = stat.read().rsplit(")", 1)[1].split()
            threads = 0
            for thread in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{thread}/schedstat") as scheduled:
                    threads += int(scheduled.read().split()[0])
            total += max((int(fields[11]) + int(fields[12])) / TICKS, threads / 1e9)
        except (OSError, IndexError):
            pass
    return total


def memory_mb(pids, kind):
    """Memory of processes: `Rss`, `Pss` (the part that is theirs when what is shared is divided) or `Anonymous` (no pages of files); or
    `VmHWM`, the most that was ever resident."""
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/{'status' if kind == 'VmHWM' else 'smaps_rollup'}") as rollup:
                total += sum(int(line.split()[1]) for line in rollup if line.startswith(f"{kind}:"))
        except OSError:
            pass
    return total / 1024


def fdatasync_p50_ms(folder, times=200):
    """Half of so many appends of 4 KiB are durable within this time."""
    took = []
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        for _ in range(times):
            began = time.perf_counter()
            file.write(b"\0" * 4096)
            os.fdatasync(file.fileno())
            took.append(time.perf_counter() - began)
    return statistics.median(took) * 1e3


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Running:
    """A program that serves until the block ends; ready when its port accepts."""

    def __init__(self, command, port=None, env=None, user=None, stop_seconds=15, cwd=None):
        self.command, self.port, self.stop_seconds = [str(part) for part in command], port, stop_seconds
        self.options = {"env": {**os.environ, **(env or {})}, "cwd": cwd}
        if user and os.geteuid() == 0:
            self.options |= {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}

    def __enter__(self):
        self.log = tempfile.TemporaryFile()
        began = time.perf_counter()
        self.process = subprocess.Popen(self.command, stdout=self.log, stderr=self.log, **self.options)
        while self.port:
            try:
                socket.create_connection(("127.0.0.1", self.port), 0.2).close()
                break
            except OSError:
                if self.process.poll() is not None or time.perf_counter() - began > 60:
                    self.log.seek(0)
                    words = self.log.read().decode(errors="replace").strip().splitlines()
                    self.__exit__()
                    raise Failed(f"{os.path.basename(self.command[0])} did not start: {(words or ['it said nothing'])[-1]}"[:300])
                time.sleep(0.001)
        self.ready_ms = (time.perf_counter() - began) * 1e3
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(self.stop_seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def pids(self):
        return tree(self.process.pid)


def bytes_below(folder):
    """The sizes of all files, as `ls` says them."""
    total = 0
    for at, _, names in os.walk(folder):
        total += sum(os.lstat(os.path.join(at, name)).st_size for name in names)
    return total
