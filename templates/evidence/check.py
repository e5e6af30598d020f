"""Checks evidence of Tidegauge in the folder it was unpacked into. Needs: pip install jwcrypto rfc8785 zstandard

Prints a line for each check; the exit code is 0 when everything holds, else 1. README.txt explains each of them."""

import base64
import hashlib
import json
import pathlib
import sys

import rfc8785
import zstandard
from jwcrypto import jwk, jws

HERE = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
failures = 0


def sha256(data):
    return hashlib.sha256(data).digest()


def read(name):
    return (HERE / name).read_bytes()


def lines(name):
    return read(name).splitlines()


def check(name, holds):
    global failures
    failures += not holds
    print(("ok      " if holds else "NOT OK  ") + name)


def key_of(name):
    return jwk.JWK.from_json(read(name).decode())


def signed(text, key, detached=None):
    """The payload, when the key signed it; None otherwise."""
    token = jws.JWS()
    try:
        token.deserialize(text.decode())
        token.verify(key, alg="EdDSA", detached_payload=detached)
        return detached if detached is not None else token.payload
    except (jws.InvalidJWSSignature, jws.InvalidJWSObject):
        return None


def varint(data, at):
    number = shift = 0
    while True:
        number |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 0x80:
            return number, at


def first_text(payload):
    """The first JSON text of a payload, or None when it begins with a sample."""
    plain = payload[2:] if payload[1] == 0 else zstandard.ZstdDecompressor().decompress(
        payload[6:], max_output_size=int.from_bytes(payload[2:6], "little"))
    count, at = varint(plain, 0)
    kind, at = varint(plain, at)
    if count == 0 or kind != 0:
        return None
    length, at = varint(plain, at)
    return json.loads(plain[at:at + length])


def root(hashes):
    if len(hashes) == 1:
        return hashes[0]
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    return sha256(b"\1" + root(hashes[:split]) + root(hashes[split:])) if hashes else sha256(b"")


agent = key_of("keys/agent.jwk")
print("agent   sha256:" + sha256(base64.urlsafe_b64decode(agent.export_public(as_dict=True)["x"] + "=")).hex())

listed = {name: digest for digest, name in (line.split("  ", 1) for line in read("SHA256SUMS").decode().splitlines())}
there = {str(path.relative_to(HERE)) for path in HERE.rglob("*") if path.is_file()}
check("SHA256SUMS lists what is here", set(listed) == there - {"SHA256SUMS", "SHA256SUMS.jws"})
check("every file has its checksum", all(sha256(read(name)).hex() == digest for name, digest in listed.items()))
check("SHA256SUMS is signed", signed(read("SHA256SUMS.jws"), agent, read("SHA256SUMS")) is not None)

# Where names are pseudonyms, what the journal says is kept back with the names; its digests and its chain stand.
names = json.loads(read("evidence.json")).get("names", "plain")
print("names   " + names)

entries = [json.loads(line) for line in lines("journal/slice.jsonl")]
chained = whole = said = True
for number, entry in enumerate(entries):
    parts = bytes.fromhex(entry["prev"]), bytes.fromhex(entry["header"]), bytes.fromhex(entry["payload_sha256"])
    chained &= sha256(b"".join(parts)).hex() == entry["hash"]
    chained &= number == 0 or entries[number - 1]["hash"] == entry["prev"]
    if "payload" in entry:
        payload = base64.b64decode(entry["payload"])
        whole &= sha256(payload).hex() == entry["payload_sha256"]
        fact = first_text(payload)
        if fact and fact["fact"] == "report_kept":
            fact["report"] = {key: value for key, value in fact["report"].items()
                              if key not in ("workloads", "lines", "daily")}
        said &= fact is None or fact == entry["facts"][0]
check(f"the journal's {len(entries)} entries are one chain", chained)
check("payloads have their digests", whole)
check("payloads say what stands beside them in words", said)
hash_of = {entry["seq"]: entry["hash"] for entry in entries}
facts = [(entry, fact) for entry in entries for fact in entry.get("facts", [])]
samples = {(fact["server"], fact["taken_at"], entry["payload_sha256"])
           for entry, fact in facts if fact["fact"] == "sample_taken"}
thinned = {entry["payload_sha256"] for entry in entries if entry.get("thinned") or entry.get("withheld")}
check("payloads are withheld where names are pseudonyms, and nowhere else",
      not any("withheld" in entry if names == "plain" else "payload" in entry for entry in entries))

for folder in sorted(path.name for path in (HERE / "reports").iterdir()):
    def at(name):
        return read(f"reports/{folder}/{name}")
    record = json.loads(at("record.json"))
    digest = "sha256:" + sha256(at("record.json")).hex()
    check(f"{folder}: record.json is canonical", rfc8785.dumps(record) == at("record.json"))
    check(f"{folder}: it is signed", signed(at("record.jws"), agent, at("record.json")) is not None)
    for path in (HERE / "reports" / folder).glob("*-r*.json"):
        check(f"{folder}: {path.name} is the record", json.loads(path.read_bytes()) == {**record, "digest": digest})
    check(f"{folder}: it says whose pseudonyms it has", ("pseudonyms_of" in record) == (names == "pseudonyms"))
    check(f"{folder}: adjustments are the record's", json.loads(at("adjustments.json")) == record["adjustments"])
    kept = [fact["report"] for _, fact in facts
            if fact["fact"] == "report_kept" and fact["report"]["revision"] == record["revision"]]
    if names == "plain":
        check(f"{folder}: the journal recorded it", bool(kept) and kept[-1]["digest"] == digest)
        check(f"{folder}: adjustments are the journal's",
              bool(kept) and record["adjustments"] == kept[-1]["adjustments"])
    if "evidence" in record:
        rests_on, leaves = record["evidence"], at("samples.jsonl").splitlines()
        check(f"{folder}: {len(leaves)} samples have the report's root",
              root([sha256(b"\0" + leaf) for leaf in leaves]).hex() == rests_on["samples_root"])
        named = {tuple(json.loads(leaf)[field] for field in ("server", "taken_at", "payload_sha256")) for leaf in leaves}
        check(f"{folder}: they are in the journal", all(leaf[2] in thinned for leaf in named - samples))
        check(f"{folder}: the journal is anchored", hash_of.get(rests_on["journal_seq"]) == rests_on["journal_hash"])

messages = [path for end in ("*.jws", "*.withheld.json") for path in (HERE / "sent").glob(end)]
for path in sorted(messages):
    name = path.name.removesuffix(".jws").removesuffix(".withheld.json")
    if "." in name:
        continue
    withheld = json.loads(path.read_bytes()) if path.suffix == ".json" else None
    if withheld is None:
        check(f"sent {name} is signed", signed(path.read_bytes(), agent) is not None)
    else:
        check(f"sent {name} is withheld where names are pseudonyms", names == "pseudonyms")
    receipt, answer, adopted = (path.parent / (name + end) for end in (".receipt.json", ".answer.jws", ".adopted.jws"))
    if receipt.exists():
        said = json.loads(receipt.read_bytes())["receipt"]
        if withheld is None:
            taken = sha256((adopted if adopted.exists() else path).read_bytes()).hex()
        else:
            taken = withheld["adopted_sha256"] or withheld["sha256"]
        check(f"sent {name} has a receipt of these bytes", said["sha256"] == taken)
        if answer.exists():
            servers = [key_of(key) for key in sorted(listed) if key.startswith("keys/license-server")]
            payload = next(filter(None, (signed(answer.read_bytes(), server) for server in servers)), None)
            check(f"sent {name}: the server signed it", payload is not None and json.loads(payload)["receipt"] == said)

print("everything holds" if failures == 0 else f"{failures} do not hold")
sys.exit(failures != 0)
