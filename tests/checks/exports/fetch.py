"""Takes the demonstration's whole log away in every format of other people, with its manifest."""

import hashlib
import json
import sys
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "demo"))
# The demonstration's check reads the same first two arguments.
sys.argv.insert(3, "")
from demo_check import ask, sign_in, tenants, url  # noqa: E402

folder = Path(sys.argv[4])
EXPORT = """mutation($it: ExportAuditEventsInput!) { exportAuditEvents(input: $it) {
    auditExport { url manifestUrl asOfPosition } userErrors { code message } } }"""

tenant = next(tenant for tenant in tenants if any(p["role"] == "AU" for p in tenant["people"]))
auditor = next(person for person in tenant["people"] if person["role"] == "AU")
token = sign_in(tenant["slug"], auditor)


def get(path):
    request = urllib.request.Request(url + path, headers={"authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request) as response:
        return response.headers["content-type"], response.read()


for kind, name, media, edition in [
    ("OCSF", "events.ocsf.jsonl", "application/jsonl; charset=utf-8", "1.8.0"),
    ("FHIR", "events.fhir.ndjson", "application/fhir+ndjson", "4.0.1"),
]:
    made = ask(tenant["slug"], EXPORT, token=token, it={"format": kind})["exportAuditEvents"]
    assert made["userErrors"] == [], made
    found, body = get(made["auditExport"]["url"])
    manifest = json.loads(get(made["auditExport"]["manifestUrl"])[1])
    assert found == media, found
    assert manifest["sha256"] == hashlib.sha256(body).hexdigest(), manifest
    assert manifest["rows"] == int(made["auditExport"]["asOfPosition"]) == body.count(b"\n"), manifest
    assert manifest["mapping"]["edition"] == edition and manifest["mapping"]["version"], manifest
    (folder / name).write_bytes(body)
    print(f"{manifest['rows']} events as {kind}, {len(body)} bytes")
