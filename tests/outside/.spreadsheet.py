"""Compares a report's XLSX and HTML with its JSON, and the JSON with the published schema.

.spreadsheet.py REPORT            REPORT.json, REPORT.xlsx and REPORT.html
.spreadsheet.py --office DIR REPORT   the sheets that LibreOffice wrote as CSV into DIR
"""

import csv
import json
import pathlib
import sys
from decimal import Decimal
from html.parser import HTMLParser

LINES = ["server", "tenant", "type", "weight", "initial_count", "reported_count", "new_count", "rental_count", "points"]
problems = []


def expect(what, got, wanted):
    if got != wanted:
        problems.append(f"{what}: {got!r}, not {wanted!r}")


def plain(value):
    """Numbers as decimals, everything else as text."""
    if value is None:
        return ""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return Decimal(repr(value)).normalize()
    return value


def wanted_lines(report):
    numbers = {"weight", "points"}
    return [
        [Decimal(line[name]).normalize() if name in numbers else plain(line[name]) for name in LINES]
        for line in report["lines"]
    ]


def check_schema(report):
    import jsonschema

    with open("docs/schemas/usage-report-1.schema.json", encoding="utf-8") as file:
        schema = json.load(file)
    validator = jsonschema.Draft202012Validator
    validator.check_schema(schema)
    for error in validator(schema).iter_errors(report):
        problems.append(f"schema: {error.json_path}: {error.message}")


def check_xlsx(path, report):
    import openpyxl

    book = openpyxl.load_workbook(path)
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                if cell.data_type == "f":
                    problems.append(f"{sheet.title}!{cell.coordinate} is the formula {cell.value!r}")

    def column(name):
        [(sheet, area)] = book.defined_names[name].destinations
        return [plain(row[0].value) for row in book[sheet][area]]

    lines = list(map(list, zip(*(column(f"lines.{name}") for name in LINES))))
    expect("lines", lines, wanted_lines(report))
    totals = [row[0] for row in book["Summary"].iter_rows(values_only=True) if row[0] and row[0].startswith("Total")]
    expect("totals", totals, ["Total", "Total (rounded up)"])
    at = [cell.value for cell in book["Summary"][1]].index("Points")
    rows = [row for row in book["Summary"].iter_rows(values_only=True) if row[0] in totals]
    wanted = [Decimal(report[name]).normalize() for name in ("total_points", "total_points_rounded")]
    expect("totals", [plain(row[at]) for row in rows], wanted)
    expect("digest", {p.name: p.value for p in book.custom_doc_props.props}.get("Digest"), report["digest"])
    expect("created", book.properties.created.isoformat() + "Z", report["generated_at"])
    names = sorted(workload["name"] for workload in report["workloads"] if workload["counted"])
    if names:
        expect("workloads", sorted(map(str, column("workloads.name"))), names)
    expect("charts", len(book["Overview"]._charts) >= 1, True)


class Page(HTMLParser):
    """Rows of each table by its stable name."""

    def __init__(self):
        super().__init__()
        self.rows, self.table, self.cell, self.digest = {}, None, None, None

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if attributes.get("name") == "tidegauge-digest":
            self.digest = attributes["content"]
        if tag in ("script", "link", "img", "iframe", "object"):
            problems.append(f"the page has a <{tag}>")
        if tag == "table":
            self.table = attributes.get("data-table")
        if tag == "tr" and self.table:
            self.rows.setdefault(self.table, []).append([])
        if tag in ("th", "td"):
            self.cell = ""

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)

    def handle_data(self, text):
        if self.cell is not None:
            self.cell += text

    def handle_endtag(self, tag):
        if tag in ("th", "td") and self.cell is not None:
            if self.table:
                self.rows[self.table][-1].append(self.cell)
            self.cell = None


def check_html(path, report):
    page = Page()
    page.feed(path.read_text(encoding="utf-8"))
    expect("digest of the page", page.digest, report["digest"])
    head, *rows = page.rows["summary"]
    at = head.index("Points")
    totals = [row[at] for row in rows if row[0].startswith("Total")]
    expect("totals of the page", totals, [report["total_points"], report["total_points_rounded"]])
    head, *names = page.rows.get("workloads", [[]])
    counted = sum(1 for workload in report["workloads"] if workload["counted"])
    heads = sum(1 for row in names if row[:1] == ["Name"])
    expect("rows of workloads", len(names) - heads, counted)


def check_office(folder, report):
    def sheet(name):
        [path] = folder.glob(f"*-{name}.csv")
        with open(path, encoding="utf-8-sig", newline="") as file:
            return list(csv.reader(file))

    def number(text):
        return Decimal(text.replace(",", "")).normalize()

    head, *rows = sheet("Lines")
    at = head.index("Server")
    lines = [row[at : at + len(LINES)] for row in rows]
    got = [row[:3] + [number(text) for text in row[3:]] for row in lines]
    wanted = [row[:3] + [Decimal(value).normalize() for value in row[3:]] for row in wanted_lines(report)]
    expect("lines in LibreOffice", got, wanted)
    head, *rows = sheet("Summary")
    totals = [number(row[head.index("Points")]) for row in rows if row[0].startswith("Total")]
    wanted = [Decimal(report[name]).normalize() for name in ("total_points", "total_points_rounded")]
    expect("totals in LibreOffice", totals, wanted)


def main():
    base = pathlib.Path(sys.argv[-1])
    report = json.loads(base.with_name(base.name + ".json").read_text(encoding="utf-8"))
    if sys.argv[1] == "--office":
        check_office(pathlib.Path(sys.argv[2]), report)
    else:
        check_schema(report)
        check_xlsx(base.with_name(base.name + ".xlsx"), report)
        check_html(base.with_name(base.name + ".html"), report)
    if problems:
        sys.exit("\n".join(problems[:20]))


main()
