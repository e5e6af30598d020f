"""The peers, from their package managers, into a folder of their own: nothing of the machine is changed or started.

Packages of PyPI go into a virtual environment, those of npm into node_modules; Debian's are downloaded and unpacked, unless
their program is there already.
"""
import glob
import os
import platform
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
# A program, and the Debian packages that hold it and what it needs.
DEBIAN = {
    "wrk": ["wrk"],
    "nginx": ["nginx-light"],
    "victoria-metrics": ["victoria-metrics"],
    "vmagent": ["victoria-metrics"],
    "prometheus": ["prometheus"],
    "promtool": ["prometheus"],
    "pdftotext": ["poppler-utils"],
    "postgres": ["postgresql"],
}


def done(command, **options):
    """Whether the command succeeded."""
    try:
        return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=900, **options).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def said(command):
    """The first line of what a program says of itself."""
    try:
        ran = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
        return ran.stdout.decode(errors="replace").strip().splitlines()[0].strip()
    except (OSError, subprocess.TimeoutExpired, IndexError):
        return ""


class Peers:
    def __init__(self, work):
        self.work, self.unpacked = work, os.path.join(work, "debian")
        self.python = self.fetch_python()
        self.node = self.fetch_node()
        self.programs = {}
        wanted = sorted({package for program, packages in DEBIAN.items() if not self.find(program) for package in packages})
        if wanted:
            self.unpack(wanted)
        self.programs = {program: self.find(program) for program in DEBIAN}

    def fetch_python(self):
        venv, wanted = os.path.join(self.work, "venv"), os.path.join(HERE, "requirements.txt")
        python, kept = os.path.join(venv, "bin", "python"), os.path.join(venv, "requirements.txt")
        same = os.path.exists(kept) and open(kept).read() == open(wanted).read()
        if not same:
            if not done([sys.executable, "-m", "venv", venv]) or not done([python, "-m", "pip", "install", "-q", "-r", wanted]):
                return None
            shutil.copy(wanted, kept)
        return python

    def fetch_node(self):
        folder = os.path.join(self.work, "node")
        if not shutil.which("npm"):
            return None
        os.makedirs(folder, exist_ok=True)
        shutil.copy(os.path.join(HERE, "package.json"), folder)
        there = all(os.path.exists(os.path.join(folder, "node_modules", name)) for name in ("fastify", "pg"))
        return folder if there or done(["npm", "install", "--silent", "--no-audit", "--no-fund"], cwd=folder) else None

    def find(self, program):
        if program == "postgres":
            # Beside its initdb, which no path of the system holds.
            places = [place for root in ("", self.unpacked) for place in sorted(glob.glob(f"{root}/usr/lib/postgresql/*/bin/postgres"), reverse=True)]
        else:
            places = [f"{folder}/{program}" for folder in (*os.get_exec_path(), "/usr/sbin", f"{self.unpacked}/usr/bin", f"{self.unpacked}/usr/sbin")]
        return next((place for place in places if os.access(place, os.X_OK)), None)

    def unpack(self, packages):
        archives = os.path.join(self.work, "archives")
        os.makedirs(os.path.join(archives, "partial"), exist_ok=True)
        if not shutil.which("apt-get"):
            return
        done(["apt-get", "install", "-y", "--download-only", "--no-install-recommends", "-o", "Debug::NoLocking=1", "-o", f"Dir::Cache::archives={archives}", *packages])
        for archive in glob.glob(f"{archives}/*.deb"):
            done(["dpkg", "-x", archive, self.unpacked])

    def environment(self, program):
        """What an unpacked program needs to find its libraries."""
        if not self.programs[program].startswith(self.unpacked):
            return {}
        return {"LD_LIBRARY_PATH": ":".join(glob.glob(f"{self.unpacked}/usr/lib/*-linux-gnu"))}

    def packaged(self, program):
        """The version of the package, for programs that do not tell theirs."""
        archives = [archive for package in DEBIAN[program] for archive in glob.glob(os.path.join(self.work, "archives", f"{package}_*.deb"))]
        return os.path.basename(archives[0]).split("_")[1] if archives else ""

    def missing(self):
        lacking = [] if self.python else ["the Python peers (pip install failed)"]
        lacking += [] if self.node else ["Fastify and pg (npm install failed)"]
        return lacking + [program for program, found in self.programs.items() if not found]

    def versions(self):
        """Name and version of every peer that is there."""
        found = {"Python": platform.python_version()}
        if self.python:
            found |= dict(line.split("==") for line in subprocess.run([self.python, "-m", "pip", "freeze"], capture_output=True, text=True).stdout.split() if "==" in line)
            names = [line.split("==")[0] for line in open(os.path.join(HERE, "requirements.txt")) if "==" in line]
            found = {name: version for name, version in found.items() if name in names or name == "Python"}
            found["SQLite"] = said([self.python, "-c", "import sqlite3; print(sqlite3.sqlite_version)"])
        if self.node:
            found["Node.js"] = said(["node", "--version"])
            for name in ("fastify", "pg"):
                found[name] = said(["node", "-p", f"require('{self.node}/node_modules/{name}/package.json').version"])
        words = {"wrk": ["-v"], "nginx": ["-v"], "prometheus": ["--version"], "postgres": ["--version"], "victoria-metrics": ["--version"], "vmagent": ["--version"]}
        for program, option in words.items():
            if self.programs[program]:
                environment = {**os.environ, **self.environment(program)}
                ran = subprocess.run([self.programs[program], *option], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment)
                number = re.search(r"\d+\.\d+[\w.+~-]*", ran.stdout.decode(errors="replace"))
                found[program] = number.group() if number else self.packaged(program)
        return found
