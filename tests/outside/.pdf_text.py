"""Compares a report's JSON with the text of its PDF: .pdf_text.py REPORT.json TEXT."""

import json
import re
import sys


def plain(text):
    return re.sub(r"\s+", " ", text)


with open(sys.argv[1], encoding="utf-8") as file:
    report = json.load(file)
with open(sys.argv[2], encoding="utf-8") as file:
    pages = file.read()
text = plain(pages)
words = set(text.split(" "))
wanted = {report["month"], report["total_points"], report["total_points_rounded"]}
wanted |= {line["points"] for line in report["lines"]}
missing = sorted(figure for figure in wanted if figure not in words and figure not in text)
# A name may be broken over lines: compare without any spaces.
dense = re.sub(r"\s+", "", pages)
# The embedded typeface has no Chinese, Japanese or Korean signs: such names are shown with boxes.
names = [row["name"] for row in report["workloads"] if all(ord(sign) < 0x2E80 for sign in row["name"])]
lost = [name for name in names if re.sub(r"\s+", "", name) not in dense]
if missing or lost:
    sys.exit(f"not in the PDF's text: figures {missing}, {len(lost)} of {len(names)} names {lost[:5]}")
