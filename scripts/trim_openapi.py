#!/usr/bin/env python3
"""Trims an official OpenAPI document of VBR or VSPC to what Tidegauge asks for.

    trim_openapi.py DOCUMENT.json > TRIMMED.json

Only paths and components are left out; what stays is word for word the official text, but that VSPC's common path
(`/api/v3`) stands in front of each path and no longer in `servers`. A mock of the whole document would take minutes to
start.
"""

import json
import sys
import urllib.parse

PATHS = [
    "/api/oauth2/token",
    "/api/oauth2/logout",
    "/api/v1/serverTime",
    "/api/v1/serverInfo",
    "/api/v1/license",
    "/api/v1/license/install",
    "/api/v1/license/update",
    "/api/v1/license/instances",
    "/api/v1/license/createReport",
    "/api/v1/restorePoints",
]

VSPC_PATHS = [
    "/token",
    "/asyncActions/{actionId}",
    "/asyncActions/{actionId}/result",
    "/organizations/companies",
    "/infrastructure/backupServers",
    "/infrastructure/sites",
    "/licensing/backupServers",
    "/licensing/sites",
    "/licensing/reports/latest",
    "/licensing/reports/{date}",
    "/licensing/reports/finalization",
    "/licensing/usage/organizations",
]


def wanted(document):
    """The paths to keep, and what stands in front of each."""
    if VSPC_PATHS[-1] not in document["paths"]:
        return PATHS, ""
    return VSPC_PATHS, urllib.parse.urlparse(document["servers"][0]["url"]).path


def references(part):
    """Every `#/components/…` that a part points to."""
    if isinstance(part, dict):
        for key, value in part.items():
            if key == "$ref" and isinstance(value, str):
                yield value
            elif key == "mapping" and isinstance(value, dict):
                yield from (target for target in value.values() if target.startswith("#/"))
            else:
                yield from references(value)
    elif isinstance(part, list):
        for value in part:
            yield from references(value)


def component(document, reference):
    _, group, kind, name = reference.split("/", 3)
    return group, kind, name, document[group][kind][name]


def trim(document):
    keep, front = wanted(document)
    paths = {front + path: document["paths"][path] for path in keep if path in document["paths"]}
    kept = {}
    waiting = sorted(set(references(paths)))
    while waiting:
        reference = waiting.pop()
        _, kind, name, body = component(document, reference)
        if name not in kept.setdefault(kind, {}):
            kept[kind][name] = body
            waiting.extend(references(body))
    for kind in ("securitySchemes",):
        if kind in document.get("components", {}):
            kept[kind] = document["components"][kind]
    head = {key: value for key, value in document.items() if key in ("openapi", "info", "security")}
    return {**head, "paths": paths, "components": kept}


def main():
    if len(sys.argv) != 2:
        sys.exit("trim_openapi.py: name one OpenAPI document in JSON")
    with open(sys.argv[1], encoding="utf-8") as file:
        document = json.load(file)
    trimmed = trim(document)
    keep, front = wanted(document)
    missing = [path for path in keep if front + path not in trimmed["paths"]]
    if missing:
        sys.exit(f"trim_openapi.py: {sys.argv[1]} does not have {', '.join(missing)}")
    json.dump(trimmed, sys.stdout, indent=1, ensure_ascii=False)


if __name__ == "__main__":
    main()
