"""Takes the demonstration's whole log away as evidence and checks it twice: by `rollcall verify`, and
by an independent implementation of RFC 6962 (pymerkle) over leaves put together here."""

import base64
import hashlib
import hmac
import json
import subprocess
import sys
import tempfile
import time
import urllib.request
import zipfile
from pathlib import Path

from pymerkle import InmemoryTree, verify_consistency, verify_inclusion

from demo_check import ask, sign_in, tenants, url

rollcall = sys.argv[4]
LOG = "{ transparencyLog { origin checkpoint checkpointPosition verifierKeys isEvidence } }"
REQUEST = """mutation($it: RequestEvidenceInput!) { requestEvidence(input: $it) {
    evidence { url } userErrors { code message } } }"""

tenant = next(tenant for tenant in tenants if any(p["role"] == "AU" for p in tenant["people"]))
auditor = next(person for person in tenant["people"] if person["role"] == "AU")
token = sign_in(tenant["slug"], auditor)


def signed():
    log = ask(tenant["slug"], LOG, token=token)["transparencyLog"]
    return log if log and log["checkpointPosition"] else None


earlier = signed() or time.sleep(3) or signed()
asked = {"question": {}, "recipient": "Office for Civil Rights", "purpose": "Check", "since": earlier["checkpointPosition"]}
made = ask(tenant["slug"], REQUEST, token=token, it=asked)["requestEvidence"]
assert made["userErrors"] == [], made
request = urllib.request.Request(
    url + made["evidence"]["url"], headers={"authorization": f"Bearer {token}"}
)
begun = time.monotonic()
with urllib.request.urlopen(request) as response:
    bundle = response.read()
fetched = time.monotonic() - begun

with tempfile.TemporaryDirectory() as name:
    folder = Path(name)
    (folder / "evidence.zip").write_bytes(bundle)
    (folder / "earlier.txt").write_text(earlier["checkpoint"])
    keys = json.dumps(earlier["verifierKeys"])
    policy = f"[[log]]\norigin = {json.dumps(earlier['origin'])}\nkeys = {keys}\n"
    (folder / "keys.toml").write_text(policy)
    command = [rollcall, "verify", "evidence.zip", "--policy", "keys.toml", "--since", "earlier.txt"]
    begun = time.monotonic()
    verdict = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    verified = time.monotonic() - begun
    # Good, but the clock of a demonstration can be set.
    assert verdict.returncode == 30 and "NOT EVIDENCE" in verdict.stdout, verdict
    with zipfile.ZipFile(folder / "evidence.zip") as archive:
        lines = [json.loads(line) for line in archive.read("log.jsonl").splitlines()]
        manifest = json.loads(archive.read("manifest.json"))
        origin, size, root = archive.read("checkpoint.txt").decode().split("\n")[:3]


def leaf(envelope):
    """RFC 8785: keys in order, no white space; the values are ASCII strings and small integers."""
    return json.dumps(envelope, sort_keys=True, separators=(",", ":")).encode()


def commitment(opening):
    return hmac.new(bytes.fromhex(opening["key"]), opening["value"].encode(), hashlib.sha256).hexdigest()


assert origin == earlier["origin"] and not earlier["isEvidence"]
assert manifest["from"] == 1 and len(lines) == int(size) == manifest["to"]
tree = InmemoryTree(algorithm="sha256")
for line in lines:
    tree.append_entry(leaf(line["leaf"]))
    for field, opening in line["open"].items():
        assert line["leaf"][field] == commitment(opening), (field, line["leaf"])
state = tree.get_root()
assert state == base64.b64decode(root), "another implementation finds another root"
held = int(earlier["checkpointPosition"])
old = base64.b64decode(earlier["checkpoint"].split("\n")[2])
assert tree.get_root(held) == old
verify_consistency(old, state, tree.prove_consistency(held, int(size)))
nth = int(size) // 2
verify_inclusion(tree.get_leaf(nth), state, tree.prove_inclusion(nth, int(size)))
print(f"{size} events: fetched in {fetched:.1f} s, verified in {verified:.1f} s, and by pymerkle")
