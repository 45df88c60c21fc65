// Runs the server audit of npm's graphql-http against an endpoint:
//   node audit.mjs http://127.0.0.1:8080/graphql
// Ends with 1 where a check reports an error or a warning, or where the number of checks is not
// the one this service was measured by. Notices are allowed: they concern what the specification
// leaves open.
import { auditServer } from 'graphql-http';

const EXPECTED_CHECKS = 61;

const url = process.argv[2];
if (!url) {
  console.error('usage: node audit.mjs URL');
  process.exit(2);
}

const results = await auditServer({ url });
const counts = { ok: 0, notice: 0, warn: 0, error: 0 };
for (const result of results) {
  counts[result.status] += 1;
  if (result.status !== 'ok') {
    console.log(`${result.status}\t${result.id}\t${result.name}\t${result.reason}`);
  }
}
console.log(
  `graphql-http audit: ${results.length} checks, ${counts.ok} ok, ${counts.notice} notices, ` +
    `${counts.warn} warnings, ${counts.error} errors`,
);

if (results.length !== EXPECTED_CHECKS) {
  console.error(`expected ${EXPECTED_CHECKS} checks; is another version installed?`);
  process.exit(1);
}
process.exit(counts.warn + counts.error > 0 ? 1 : 0);
