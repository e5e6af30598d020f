"""The samples of `tidegauge bench generate --emit raw` as OpenMetrics text, which promtool makes blocks of."""
import argparse
import json

from raw import KINDS, Raw

arguments = argparse.ArgumentParser(description=__doc__)
arguments.add_argument("--raw", required=True)
arguments.add_argument("--out", required=True)
asked = arguments.parse_args()

raw, samples, heads = Raw(asked.raw), 0, {}
with open(asked.out, "w", buffering=1 << 20) as file:
    file.write("# TYPE license_points gauge\n")
    for taken_at, month, numbers, tenths in raw.samples():
        counts = raw.first_month[numbers] < month
        for number, points, count in zip(numbers.tolist(), tenths.tolist(), counts.tolist()):
            head = heads.get((number, count))
            if head is None:
                head = heads[number, count] = f'license_points{{id="{number:032x}",tenant="t{raw.tenant[number]:03d}",type="{KINDS[raw.kind[number]]}",new="{int(not count)}"}}'
            file.write(f"{head} {points / 10:g} {taken_at}\n")
        samples += len(numbers)
    file.write("# EOF\n")
print(json.dumps({"samples": samples}))
