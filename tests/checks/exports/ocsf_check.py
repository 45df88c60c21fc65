"""Checks each event by the schema of its class in OCSF 1.8.0, and what the schema cannot say:
type_uid, the category, and that time and original_time are one moment."""

import collections
import copy
import json
import sys
from datetime import datetime

from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

VERSION = "1.8.0"
schemas = OcsfJsonSchemaEmbedded(get_ocsf_schema(version=VERSION))
validators = {}


def validator(class_uid):
    if class_uid not in validators:
        name = schemas.lookup_class_name_from_uid(class_uid)
        schema = schemas.get_class_schema(class_name=name, profiles=[])
        validators[class_uid] = Draft202012Validator(schema)
    return validators[class_uid]


def faults(event):
    try:
        found = [error.message for error in validator(event["class_uid"]).iter_errors(event)]
    except (KeyError, ValueError) as error:
        return [f"no class: {error}"]
    if event["metadata"]["version"] != VERSION:
        found.append("the version is another one")
    if event["type_uid"] != event["class_uid"] * 100 + event["activity_id"]:
        found.append("type_uid is not of the class and the activity")
    if event["category_uid"] != event["class_uid"] // 1000:
        found.append("the category is not the class's")
    original = datetime.fromisoformat(event["metadata"]["original_time"].replace("Z", "+00:00"))
    moment = event["time"] if isinstance(event["time"], int) else 0
    if abs(int(original.timestamp() * 1000) - moment) > 1:
        found.append("time is not original_time")
    return found


def broken(event):
    """The event with one fault each."""
    for change in [
        lambda it: it.pop("metadata", None) and it.update(metadata={"version": VERSION, "original_time": "2026-01-01T00:00:00Z"}),
        lambda it: it.update(activity_id=77),
        lambda it: it.update(type_uid=it["type_uid"] + 1),
        lambda it: it.update(rollcall="a field of our own"),
        lambda it: it.pop("severity_id"),
        lambda it: it.update(time=str(it["time"])),
        lambda it: [it.pop(field, None) for field in ("user", "entity", "api")],
    ]:
        copied = copy.deepcopy(event)
        change(copied)
        yield copied


with open(sys.argv[1], encoding="utf-8") as file:
    events = [json.loads(line) for line in file]

one_of_each = {}
for event in events:
    one_of_each.setdefault(event["type_uid"], event)
for event in one_of_each.values():
    for number, worse in enumerate(broken(event)):
        assert faults(worse), f"fault {number} of {event['type_name']} is not found"

met, wrong = collections.Counter(), 0
for event in events:
    met[event["type_name"]] += 1
    for fault in faults(event):
        wrong += 1
        if wrong <= 20:
            print(f"{event['metadata']['event_code']} ({event['type_name']}): {fault[:300]}")
assert wrong == 0, f"{wrong} faults"
assert len({event["class_uid"] for event in events}) == 5, met
print(f"{len(events)} events of {len(met)} types are OCSF {VERSION}")
