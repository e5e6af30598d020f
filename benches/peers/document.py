"""docs/PERFORMANCE.md out of records: no figure in it is written by hand."""
import os
import statistics
import tomllib

from rows import SUBJECT

HERE = os.path.dirname(os.path.abspath(__file__))
# A figure's name, and its unit where the name does not say it.
NAMES = {
    "us_cpu_per_sample": ("CPU a workload", "µs"), "sweep_wall_s": ("wall a sweep", "ms"), "sweep_cpu_s": ("CPU a sweep", "ms"),
    "vm_hwm_mb": ("largest resident", "MB"), "samples_per_s": ("workload-samples a second", ""), "sweep_us_median": ("a sweep", "µs"),
    "bytes_per_sample": ("bytes a sample", ""), "bytes_per_sample_with_state": ("bytes a sample with sled", ""), "journal_bytes": ("journal", "MB"),
    "state_bytes": ("sled", "MB"), "marks_ms": ("asked for the first time", "ms"), "open_ms": ("opening", "ms"), "recomputed_ms": ("recomputed", "ms"), "proved_ms": ("proved", "ms"),
    "kept_us": ("asked again", "µs"), "cpu_s": ("CPU", "s"), "wall_s": ("wall", "s"), "bytes": ("file", "MB"), "pages": ("pages", ""),
    "rss_mb": ("resident", "MB"), "pss_mb": ("its share", "MB"), "anonymous_mb": ("without pages of files", "MB"), "cpu_s_per_hour": ("CPU an hour", "s"), "ready_ms": ("ready after", "ms"),
    "first_round_s": ("start and first round", "s"), "first_round_cpu_s": ("its CPU", "s"), "round_cpu_s": ("CPU a round", "s"),
    "posts_per_s": ("a second", ""), "p50_ms": ("p50", "ms"), "p99_ms": ("p99", "ms"), "us_cpu_per_post": ("CPU a post", "µs"), "duties": ("duties", ""),
}
SCALES = {"sweep_wall_s": 1e3, "sweep_cpu_s": 1e3, "journal_bytes": 1e-6, "state_bytes": 1e-6, "bytes": 1e-6}


def head(key):
    return ", ".join(part for part in NAMES.get(key, (key, "")) if part)


def named(key, number):
    """A figure with its unit."""
    return f"{figure(key, number)} {NAMES.get(key, (key, ''))[1]}".rstrip()


def written(number):
    """Three digits that matter."""
    if number is None:
        return "–"
    if abs(number) >= 1000:
        return f"{number:,.0f}"
    return f"{number:.3g}"


def figure(key, number):
    return written(None if number is None else number * SCALES.get(key, 1))


def medians(records):
    keys = {key for record in records for key, value in record["figures"].items() if isinstance(value, (int, float)) and not isinstance(value, bool)}
    return {key: statistics.median([record["figures"][key] for record in records if key in record["figures"]]) for key in keys}


def ratios(case, records, name):
    """How many times better the subject is than this contestant: the median of the rounds, and the worst."""
    by_round = {(record["name"], record["round"]): record["figures"].get(case["metric"]) for record in records}
    found = []
    for (contestant, at), other in by_round.items():
        own = by_round.get((SUBJECT, at))
        if contestant == name and own and other:
            found.append(own / other if case["more_is_better"] else other / own)
    return (statistics.median(found), min(found)) if found else None


def case_lines(case, records, why):
    names = list(dict.fromkeys(record["name"] for record in records))
    middle = {name: medians([record for record in records if record["name"] == name]) for name in names}
    keys = [case["metric"], *(key for key in case["shown"] if any(key in middle[name] for name in names))]
    keys = [key for key in dict.fromkeys(keys)]
    lines = [f"### {case['title']}", "", "| | " + " | ".join(head(key) for key in keys) + " | Tidegauge is better by (worst round) | rounds | fdatasync p50, ms | load |",
             "|---|" + "---:|" * (len(keys) + 4)]
    for name in names:
        own = [record for record in records if record["name"] == name]
        ratio = ratios(case, records, name) if name != SUBJECT else None
        better = f"{written(ratio[0])} × ({written(ratio[1])} ×)" if ratio else ""
        shown = " | ".join(figure(key, middle[name].get(key)) for key in keys)
        sync, load = (statistics.median(record[key] for record in own) for key in ("fdatasync_p50_ms", "load"))
        mark = " (contended)" if case["durable"] and sync > 1 else ""
        bold = f"**{name}**" if name == SUBJECT else name
        lines.append(f"| {bold} | {shown} | {better} | {len(own)} | {sync:.2f}{mark} | {load:.1f} |")
    lines.append("")
    lines += [goal_line(goal, case, middle, why) for goal in case["goals"]]
    return lines + [""] if case["goals"] else lines


def goal_line(goal, case, middle, why):
    metric = goal["metric"] or case["metric"]
    own, other = (middle.get(name, {}).get(metric) for name in (SUBJECT, goal["against"]))
    bound = "at most" if goal["most"] else "at least"
    limit = f"{written(goal['limit'])} × {goal['against']}" if goal["against"] else named(metric, goal["limit"])
    words = f"* Goal: {NAMES.get(metric, (metric, ''))[0]} {bound} {limit}"
    if own is None or (goal["against"] and not other):
        return f"{words}: not measured."
    reached = own / other if goal["against"] else own
    met = reached <= goal["limit"] if goal["most"] else reached >= goal["limit"]
    shown = f"{written(reached)} ×" if goal["against"] else named(metric, reached)
    if met:
        return f"{words}: **met** ({shown})."
    return f"{words}: **not met** ({shown}). {why.get(metric, '')}".rstrip()


def growth_lines(records):
    """What ten times the workloads cost, where two sizes were measured in one run."""
    with open(os.path.join(HERE, "growth.toml"), "rb") as file:
        pairs = tomllib.load(file)["pair"]
    lines = []
    for pair in pairs:
        found = [medians([record for record in records if record["case"]["title"] == pair[size] and record["name"] == SUBJECT]).get(pair["metric"]) for size in ("small", "large")]
        if all(found):
            cost, most = found[1] / found[0], pair.get("most", 11)
            lines.append(f"| {pair['small']} → {pair['large']} | {head(pair['metric'])} | {written(cost)} × | {'met' if cost <= most else 'not met'}: at most {most} × |")
    above = ["## Growth", "", "Ten times the workloads are to cost at most eleven times as much; ten years are to open like one.", "", "| | figure | cost | goal |", "|---|---|---:|---|"]
    return above + lines + [""] if lines else []


def page(meta, records):
    """The whole document, in the order of the rows."""
    with open(os.path.join(HERE, "why.toml"), "rb") as file:
        why = tomllib.load(file)
    lines = ["# Performance", "", "Written by `scripts/bench`. All figures of a row were measured in one run, that of the next lines unless they name another. "
             "Ratios come from the same round; times under load are longer for everybody, ratios hold.", "", "| | |", "|---|---|"]
    lines += [f"| {key} | {value} |" for key, value in meta["machine"].items()]
    lines += ["", "Peers: " + ", ".join(f"{name} {version}".strip() for name, version in meta["versions"].items()) + ".", ""]
    if meta["missing"]:
        lines += ["Not measured because they are not there: " + "; ".join(meta["missing"]) + ".", ""]
    for key, title in meta["rows"]:
        own = [record for record in records if record["row"] == key]
        if not own:
            continue
        lines += [f"## {title}", ""]
        if about := why.get(key, {}).get("about"):
            lines += [about, ""]
        for case in dict.fromkeys(record["case"]["title"] for record in own):
            of_case = [record for record in own if record["case"]["title"] == case]
            lines += case_lines(of_case[0]["case"], of_case, why.get(key, {}))
    lines += growth_lines(records)
    if meta["failed"]:
        lines += ["## What failed", ""] + [f"* {words}" for words in meta["failed"]] + [""]
    lines += ["## How it was run", "", f"`{meta['command']}`. Contestants took turns within a round, in the reverse order every second round. "
              "The largest resident memory and the CPU of a run are the process's own; durable means synced: SQLite in WAL mode with synchronous=FULL, PostgreSQL with its defaults, "
              "Tidegauge's journal with fdatasync before a duty counts as done. `fdatasync p50` is half of 200 appends of 4 KiB just before.", "", "```"]
    return "\n".join(lines + meta["commands"] + ["```", ""])
