"""Whether the text that pdftotext read has every name of tests/it/formats/hard.rs in logical order."""

import re
import sys
import unicodedata

NAMES = [
    "Žluťoučký kůň příšerně úpěl — Łódź Straße Ærøskøbing",
    "Café Zürich Ångström",
    "Съешь ещё этих мягких французских булок",
    "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία",
    "شركة النسخ الاحتياطي للبيانات",
    "شرکت پشتیبان\u200cگیری داده\u200cها",
    "שרת גיבוי של החברה",
    "経理部サーバー東京",
    "备份服务器财务部",
    "백업 서버 재무팀",
]
# What pdftotext adds around a line that turns.
TURNS = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")

with open(sys.argv[1], encoding="utf-8") as file:
    text = unicodedata.normalize("NFC", TURNS.sub("", file.read()))
missing = [name for name in NAMES if unicodedata.normalize("NFC", name) not in text]
for name in missing:
    print("not read:", name)
sys.exit(1 if missing else 0)
