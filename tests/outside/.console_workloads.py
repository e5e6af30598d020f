"""Usage snapshots of one server with N workloads, from September to the end of October: FOLDER N."""
import json
import sys

folder, many = sys.argv[1], int(sys.argv[2])
KINDS = [("VM", "11"), ("VM", "11"), ("VM", "11"), ("Workstation", "4"), ("Server", "11")]
INSTANTS = ["2026-09-30T23:00:00Z", "2026-10-10T23:00:00Z", "2026-10-20T23:00:00Z", "2026-10-31T23:00:00Z"]
LICENSE = {
    "license_id": "license-1", "type": "Rental", "product": "VBR", "edition": "EnterprisePlus",
    "licensed_to": "Example Provider", "installation_id": "7e6a3c5e-0f0e-4a53-9a40-000000000001",
    "licensed_points": str(many * 12), "expires_on": "2027-01-31",
}


def workload(number, taken_at):
    kind, points = KINDS[number % len(KINDS)]
    return {
        "id": f"50121c2e-0000-4000-8000-{number:012d}", "name": f"{kind.lower()}-{number:06d}", "type": kind,
        "tenant": f"Tenant {number * 7919 % 200:03d}", "job": f"Daily {number % 500:03d}", "host": f"host{number % 40:02d}",
        "points": points, "first_processed_at": "2026-03-02T01:00:00Z", "last_restore_point_at": f"{taken_at[:10]}T01:00:00Z",
        "rental": False,
    }


for step, taken_at in enumerate(INSTANTS):
    # Some come and some go, so that the months differ.
    numbers = range(many * step // 100, many + many * step // 50)
    snapshot = {"schema": "tidegauge.usage-snapshot/1", "taken_at": taken_at, "server": "vbr01", "license": LICENSE,
                "workloads": [workload(number, taken_at) for number in numbers][:many]}
    with open(f"{folder}/{step}.json", "w") as file:
        json.dump(snapshot, file)
