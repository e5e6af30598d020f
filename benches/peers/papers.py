"""A usage report of so many rows: six columns, on paper with a head and a number on each page."""
import argparse
import csv
import json
import os
import time

from own import largest_resident_mb

arguments = argparse.ArgumentParser(description=__doc__)
arguments.add_argument("--engine", choices=["reportlab-canvas", "csv", "json", "xlsxwriter"], required=True)
arguments.add_argument("--rows", type=int, required=True)
arguments.add_argument("--out", required=True)
asked = arguments.parse_args()
HEAD = ["Workload", "Tenant", "Type", "Host", "Points", "First seen"]
KINDS = ["VM", "Server", "Workstation", "CloudVM", "Application", "CloudConnectServer", "FileShare"]
PLACES, TOP, FOOT, LINE = [40, 190, 240, 330, 450, 500], 800, 60, 14.5

if asked.engine == "reportlab-canvas":
    from reportlab.pdfgen.canvas import Canvas
elif asked.engine == "xlsxwriter":
    import xlsxwriter


def rows():
    for number in range(asked.rows):
        kind, tenant = KINDS[number % 7], number % 200
        yield [f"{kind.lower()}-{tenant:03d}-{number:07d}", f"t{tenant:03d}", kind, f"esx{number % 97:02d}.t{tenant:03d}.example.net",
               f"{number % 11}.{number % 10}", "2024-01-01"]


def reportlab_canvas():
    canvas, y, page = Canvas(asked.out, pageCompression=1), 0, 0
    for row in rows():
        if y < FOOT:
            if page:
                canvas.showPage()
            page, y = page + 1, TOP
            canvas.setFont("Helvetica", 8)
            canvas.drawRightString(560, 20, f"Page {page}")
            for x, text in zip(PLACES, HEAD):
                canvas.drawString(x, y, text)
        y -= LINE
        for x, text in zip(PLACES, row):
            canvas.drawString(x, y, text)
        canvas.line(40, y - 3, 560, y - 3)
    canvas.showPage()
    canvas.save()


def separated():
    with open(asked.out, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEAD)
        writer.writerows(rows())


def objects():
    with open(asked.out, "w") as file:
        json.dump([dict(zip(HEAD, row)) for row in rows()], file)


def workbook():
    book = xlsxwriter.Workbook(asked.out, {"constant_memory": True})
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, HEAD)
    for at, row in enumerate(rows(), 1):
        row[4] = float(row[4])
        sheet.write_row(at, 0, row)
    book.close()


wall, cpu = time.perf_counter(), time.process_time()
{"reportlab-canvas": reportlab_canvas, "csv": separated, "json": objects, "xlsxwriter": workbook}[asked.engine]()
print(json.dumps({"rows": asked.rows, "wall_s": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu, "bytes": os.path.getsize(asked.out), "vm_hwm_mb": largest_resident_mb()}))
