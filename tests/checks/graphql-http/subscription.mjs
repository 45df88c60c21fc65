// Subscribes with npm's graphql-ws, the client most applications use:
//   node subscription.mjs ws://127.0.0.1:8080/graphql/ws DOCUMENT COUNT [CONNECTION_PARAMS]
// DOCUMENT is a subscription, COUNT the number of results to wait for, CONNECTION_PARAMS the JSON
// payload of connection_init. Ends with 1 on an error, a close or after 15 seconds.
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

const [url, query, count, params] = process.argv.slice(2);
const wanted = Number(count);
if (!url || !query || !(wanted > 0)) {
  console.error('usage: node subscription.mjs URL DOCUMENT COUNT [CONNECTION_PARAMS]');
  process.exit(2);
}

const client = createClient({
  url,
  webSocketImpl: WebSocket,
  connectionParams: params ? JSON.parse(params) : undefined,
  retryAttempts: 0,
});

const fail = (problem) => {
  console.error('graphql-ws subscription failed:', problem);
  process.exit(1);
};
setTimeout(() => fail('no result in time'), 15_000).unref();

let seen = 0;
try {
  for await (const result of client.iterate({ query })) {
    if (result.errors) fail(JSON.stringify(result.errors));
    seen += 1;
    if (seen === wanted) break;
  }
} catch (problem) {
  fail(problem instanceof Error ? problem.message : JSON.stringify(problem));
}
if (seen < wanted) fail(`completed after ${seen} results, wanted ${wanted}`);
await client.dispose();
console.log(`graphql-ws subscription: ${seen} results`);
