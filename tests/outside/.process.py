"""A month through the real binary: agent, License Update Server and playground on one fast clock, killed on the way."""
import datetime, json, os, pathlib, random, re, signal, socket, subprocess, sys, time

BINARY, LIBRARY, WORK = os.environ["TIDEGAUGE"], os.environ["FAKETIME_LIBRARY"], pathlib.Path(os.environ["WORK"])
# Fake seconds in a true one. Spans stay true, so that timeouts of the wire keep their length.
RATE = 600
SEED = int(os.environ.get("SEED", "0")) or random.randrange(1, 10**6)
chance = random.Random(SEED)
STATE, REPORTS, SETTINGS = WORK / "state", WORK / "reports", WORK / "tidegauge.toml"


def at(text):
    return datetime.datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=datetime.timezone.utc)


class Machine:
    """One clock, and what runs by it."""

    def __init__(self):
        self.processes, self.begun, self.real = {}, None, None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]

    def now(self):
        return self.begun + (time.monotonic() - self.real) * RATE * datetime.timedelta(seconds=1)

    def set(self, instant):
        self.begun, self.real = instant, time.monotonic()

    def environment(self):
        asked = {key: value for key, value in os.environ.items() if not key.startswith("TIDEGAUGE")}
        asked.update(TZ="UTC", LD_PRELOAD=LIBRARY, FAKETIME_DONT_FAKE_MONOTONIC="1",
                     FAKETIME=f"@{self.now():%Y-%m-%d %H:%M:%S} x{RATE}")
        return asked

    def start(self, name, arguments, ready):
        log = WORK / f"{name}.log"
        before = log.stat().st_size if log.exists() else 0
        with open(log, "ab") as out:
            self.processes[name] = subprocess.Popen([BINARY, *arguments], stdout=out, stderr=out, env=self.environment())
        until = time.monotonic() + 60
        while time.monotonic() < until:
            with open(log, "rb") as words:
                words.seek(before)
                if ready.encode() in words.read():
                    return
            if self.processes[name].poll() is not None:
                break
            time.sleep(0.05)
        sys.exit(f"{name} does not begin:\n{log.read_bytes()[before:].decode()[-3000:]}")

    def kill(self, name):
        process = self.processes.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def kill_all(self):
        for name in list(self.processes):
            self.kill(name)

    def run(self, *arguments, may_fail=False):
        ran = subprocess.run([BINARY, *arguments], capture_output=True, text=True, env=self.environment(), timeout=60)
        if ran.returncode != 0 and not may_fail:
            sys.exit(f"{' '.join(arguments)}: {ran.returncode} {ran.stderr}")
        return ran.stdout

    def agent(self):
        self.start("agent", ["agent", "--config", str(SETTINGS)], "agent.ready")

    def license_server(self):
        self.start("license-server", ["license-server", "run", "--state", str(WORK / "license-server"),
                                      "--listen", f"127.0.0.1:{self.port}"], "license_server.ready")

    def switch_on(self, instant):
        """Everything comes up with the clock at this instant."""
        self.kill_all()
        self.set(instant)
        self.start("playground", ["playground", "--dir", str(WORK / "playground"), "--seconds", "900"], "tidegauge agent")
        self.license_server()
        written = (WORK / "playground/tidegauge.toml").read_text()
        servers, rest = written.split("[license_server]")
        servers = servers[servers.index("[[server]]"):].replace('license = "backup_server"', 'license = "license_server"')
        SETTINGS.write_text(f'state_dir = "{STATE}"\nreports_dir = "{REPORTS}"\n{servers}[console]\nlisten = "127.0.0.1:0"\n'
                            f'[license_server]\nurl = "http://127.0.0.1:{self.port}"\n{rest[rest.index("[mail]"):]}')
        self.agent()

    def live_until(self, instant, deaths):
        """Lets the clock run, killing the agent or the License Update Server so often on the way."""
        moments = sorted(self.now() + (instant - self.now()) * chance.random() for _ in range(deaths))
        for moment in [*moments, instant]:
            time.sleep(max(0, (moment - self.now()).total_seconds() / RATE))
            if moment != instant:
                victim, again = chance.choice([("agent", self.agent), ("agent", self.agent), ("license-server", self.license_server)])
                self.kill(victim)
                again()

    def told(self, *arguments):
        return json.loads(self.run(*arguments, "--json", "--config", str(SETTINGS)))

    def until(self, what, looks=60):
        """Waits until it is true; the clock runs on."""
        for _ in range(looks):
            if what():
                return True
            time.sleep(0.5)
        return False


machine = Machine()


def check(is_so, what, seen=""):
    print(f"{'ok' if is_so else 'NOT OK'} {what}", flush=True)
    if not is_so:
        print(f"   seed {SEED}, at {machine.now():%Y-%m-%d %H:%M}: {seen}\n{story()[-3000:]}")
        machine.kill_all()
        sys.exit(1)


def story():
    lines = (WORK / "agent.log").read_text().splitlines()
    told = [json.loads(line) for line in lines if line.startswith("{")]
    return "\n".join(f"{one['timestamp'][:19]} {one.get('message')}" for one in told)


def report(server):
    return machine.told("report", "show", "--server", server, "--month", "2026-10")


def entries(kind):
    """Journal entries of the agent that tell of this, by their words."""
    return [line for line in story().splitlines() if kind in line]


def month_end(servers):
    machine.switch_on(at("2026-10-31 21:30"))
    machine.live_until(at("2026-11-01 01:00"), 4)
    built = machine.until(lambda: all(machine.run("report", "show", "--server", server, "--month", "2026-10", "--json",
                                                  "--config", str(SETTINGS), may_fail=True) for server in servers))
    check(built, "the month's report is built by itself")
    reports = {server: report(server) for server in servers}
    hours = {one["basis"]["as_of"] for one in reports.values()}
    check(hours == {"2026-11-01T00:00:00Z"}, "it is built as of the 1st, 00:00 GMT", hours)
    machine.until(lambda: len(list(REPORTS.rglob("*.pdf"))) >= len(servers))
    kinds = {path.suffix for path in REPORTS.rglob("*") if path.is_file()}
    check({".pdf", ".csv", ".json"} <= kinds, "its files stand in the Reports folder", kinds)
    return reports


def clock_set_back(servers, before):
    files = {path: path.read_bytes() for path in REPORTS.rglob("*.json")}
    machine.switch_on(at("2026-10-31 23:20"))
    machine.live_until(at("2026-11-01 00:50"), 2)
    after = {server: report(server) for server in servers}
    built = entries("report 2026-10 r1 generated: ")
    same = all(after[server]["basis"]["as_of"] == before[server]["basis"]["as_of"] for server in servers)
    check(len(built) <= len(servers) and same, "a clock set back over the 1st builds no month twice", built)
    # A sample of that hour, had it been missed, is a late one: it is counted, and said.
    if not entries("report.late_sample"):
        check(all(path.read_bytes() == bytes for path, bytes in files.items()), "and writes no file anew")
        check(all(after[server]["digest"] == before[server]["digest"] for server in servers), "nor changes a figure")


def week(servers):
    machine.switch_on(at("2026-11-02 00:30"))
    planned = []

    def drawn():
        for unit in units(machine.told("telemetry", "list")):
            planned.extend(one["at"] for one in unit["upcoming"]["planned"] if one["period"] == "2026-W44" and one.get("at"))
            planned.extend(one["slot"] for one in unit["messages"] if one["period"] == "2026-W44" and one.get("slot"))
        return planned
    check(machine.until(drawn), "the week's slot is drawn once the week has ended", story())
    slot = max(datetime.datetime.fromisoformat(one.replace("Z", "+00:00")) for one in planned)
    check(at("2026-11-02 00:00") <= slot < at("2026-11-09 00:00"), "the slot lies in the week that follows", slot)
    machine.switch_on(slot - datetime.timedelta(minutes=20))
    machine.live_until(slot + datetime.timedelta(minutes=60), 3)

    def taken():
        return [one for unit in units(machine.told("telemetry", "list")) for one in unit["messages"]
                if one["kind"] == "telemetry" and one["period"] == "2026-W44"]
    machine.until(lambda: all(one["state"] == "taken" for one in taken()))
    states = [(one["state"], one["receipt"]["received_at"]) for one in taken()]
    check(states and all(state == "taken" for state, _ in states), "the week's telemetry is taken", states)
    check(len({one["unit"] for one in taken()}) == len(states), "once for each unit", states)
    check(all("2026-11-02" <= received < "2026-11-09" for _, received in states), "in the week that follows", states)


def eleventh(servers):
    machine.switch_on(at("2026-11-10 22:00"))
    early = [report(server)["stage"] for server in servers]
    machine.live_until(at("2026-11-11 01:30"), 4)
    machine.until(lambda: all(report(server)["stage"] == "submitted" for server in servers))
    stages = [report(server)["stage"] for server in servers]
    check("submitted" not in early and set(stages) == {"submitted"}, "the report is sent by itself on the 11th", (early, stages))
    on_file = json.loads(machine.run("license-server", "report", "list", "--json", "--state", str(WORK / "license-server")))["reports"]
    once = len({one["unit"] for one in on_file}) == len(on_file) and all(one["revision"] == 1 for one in on_file)
    check(once and on_file, "the License Update Server has it once", on_file)
    received = [one["received_at"] for one in on_file]
    check(all(one.startswith("2026-11-11") for one in received), "received on the 11th", received)
    numbers = {report(server)["total_points"] for server in servers}
    check({one["total_points"] for one in on_file} == numbers, "with the points that were shown", (on_file, numbers))


def units(answer):
    return answer.get("units", [answer]) if isinstance(answer, dict) else answer


def all_fresh():
    servers = machine.told("status")["servers"]
    return bool(servers) and all(one["state"] == "fresh" for one in servers)


def main():
    print(f"   seed {SEED}, clock x{RATE}", flush=True)
    machine.set(at("2026-10-31 18:00"))
    office = ["--state", str(WORK / "license-server")]
    machine.run("license-server", "key", "new", *office)
    machine.run("license-server", "contract", "add", "C-1", "--licensed-to", "Example Provider", "--support-id", "01234567",
                "--points", "5000", "--token-file", str(WORK / "token"), *office)
    machine.switch_on(at("2026-10-31 18:00"))
    servers = re.findall(r'^name = "([^"]+)"', SETTINGS.read_text(), re.M)
    machine.run("enrol", "--token-file", str(WORK / "token"), "--config", str(SETTINGS))
    check(machine.until(all_fresh), "every server is sampled", machine.told("status")["servers"])
    for server in servers:
        machine.until(lambda: machine.run("sample", "now", "--server", server, "--config", str(SETTINGS), may_fail=True))
        machine.run("license", "auto-update", "on", "--server", server, "--config", str(SETTINGS))
    clock_set_back(servers, month_end(servers))
    week(servers)
    eleventh(servers)
    verified = machine.run("store", "verify", "--config", str(SETTINGS))
    check("in order" in verified, "the store verifies", verified)
    machine.kill_all()


try:
    main()
finally:
    machine.kill_all()
