// Checks each resource by the JSON schema of FHIR R4, after the schema has refused what was broken
// on purpose.
import { readFileSync } from "node:fs";
import Validator from "@asymmetrik/fhir-json-schema-validator";

const validator = new Validator();
const faults = (resource) => {
  const found = validator.validate(resource).map((error) => `${error.dataPath} ${error.message}`);
  if (resource.resourceType !== "AuditEvent") found.push("it is no AuditEvent");
  return found;
};
const lines = readFileSync(process.argv[2], "utf8").trimEnd().split("\n");
const resources = lines.map((line) => JSON.parse(line));

const worsen = [
  (it) => { it.action = "X"; },
  (it) => { delete it.agent; },
  (it) => { it.rollcall = "a field of our own"; },
  (it) => { it.recorded = "yesterday"; },
  (it) => { it.outcome = "1"; },
  (it) => { it.agent[0].requestor = "true"; },
  (it) => { delete it.source; },
];
for (const [number, change] of worsen.entries()) {
  const worse = structuredClone(resources[0]);
  change(worse);
  if (faults(worse).length === 0) throw new Error(`fault ${number} is not found`);
}

let wrong = 0;
const ids = new Set();
for (const resource of resources) {
  ids.add(resource.id);
  for (const fault of faults(resource)) {
    wrong += 1;
    if (wrong <= 20) console.log(`${resource.subtype.at(-1).code}: ${fault}`);
  }
}
if (wrong > 0) throw new Error(`${wrong} faults`);
if (ids.size !== resources.length) throw new Error("two resources have one id");
console.log(`${resources.length} resources are AuditEvents of FHIR R4`);
