/**
 * CPU of one GraphQL request of 100 flows with 20 fields and their processes, ours beside a default Apollo Server with the
 * same schema over the same data, in alternating windows of one run; and how long scans of many flows take.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ApolloServer } from '@apollo/server';
import { expressMiddleware } from '@as-integrations/express5';
import express from 'express';
import { loadSchema } from '../src/api/graphql/schema.js';
import type { RequestContext } from '../src/api/graphql/mapped.js';
import { Caller, Queries } from '../src/api/query/index.js';
import { LOCAL } from '../src/api/auth/index.js';
import { apiOver, cpuMsOf, isMain, Load, median, stateOf } from './lib/api-parts.js';
import type { FakeState } from '../test/api/fake-state.js';

const PROCESS =
  'id pid name executable commandLine uidOwner: user { uid name } parent { id pid name } unit startTime startedBefore';
const QUERY = `{
  flows(first: 100) {
    totalCount
    nodes {
      id protocol protocolNumber ipVersion direction state startTime lastTime endTime durationMs endReason startedBefore
      rttMicros minRttMicros notes { code }
      client { address port local sent { octets packets payloadBytes } process { ${PROCESS} } }
      server { address port local sent { octets packets payloadBytes } process { ${PROCESS} } }
    }
  }
}`;
const ROUNDS = 5;
const REQUESTS = 200;

export async function run(): Promise<void> {
  process.env['NODE_ENV'] = 'production';
  const state = stateOf(100);
  const ours = await apiOver(state);
  const theirs = await defaultApollo(state);
  const load = new Load();
  const body = JSON.stringify({ query: QUERY });
  const once = (port: number, count: number) => load.order({ kind: 'requests', port, body, count, connections: 10 });
  await once(ours.port, 300);
  await once(theirs.port, 300);
  const cpu = { ours: [] as number[], theirs: [] as number[] };
  for (let round = 0; round < ROUNDS; round++) {
    cpu.ours.push((await cpuMsOf(() => once(ours.port, REQUESTS))) / REQUESTS);
    cpu.theirs.push((await cpuMsOf(() => once(theirs.port, REQUESTS))) / REQUESTS);
  }
  const mine = median(cpu.ours);
  const other = median(cpu.theirs);
  print(`GraphQL, 100 flows x 20 fields with processes: ${mine.toFixed(2)} ms CPU a request`);
  print(
    `  a default Apollo Server over the same data:   ${other.toFixed(2)} ms; ratio ${(other / mine).toFixed(2)} (aim >= 3)`,
  );
  load.stop();
  await ours.stop();
  theirs.close();
  scans(100_000);
}

async function defaultApollo(state: FakeState): Promise<{ port: number; close(): void }> {
  const server = new ApolloServer<RequestContext>({ schema: loadSchema(), stopOnTerminationSignals: false });
  await server.start();
  const queries = new Queries(state, 10_000);
  const context = (): Promise<RequestContext> => {
    const caller = new Caller(LOCAL.scopes, state.nowMicros(), 5000);
    return Promise.resolve({ queries, caller, host: () => ({ ...state.status(), subscribers: 0, exporters: [] }) });
  };
  const app = express();
  app.use('/graphql', express.json(), expressMiddleware(server, { context }));
  const listener = createServer((request, response) => void app(request as never, response as never));
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  return { port: (listener.address() as AddressInfo).port, close: () => void listener.close(() => undefined) };
}

function scans(flows: number): void {
  const queries = new Queries(stateOf(flows), 10_000);
  const caller = () => new Caller(LOCAL.scopes, 0, 60_000);
  const cases: readonly [string, () => unknown][] = [
    ['newest 50', () => queries.flows({}, caller()).nodes],
    ['newest 50 of one process', () => queries.flows({ where: { process: { eq: 'curl' } } }, caller()).nodes],
    ['newest 50 of a prefix', () => queries.flows({ where: { address: { in: ['10.0.0.0/9'] } } }, caller()).nodes],
    [
      'largest 50 of a user',
      () => queries.flows({ where: { user: { eq: 'ada' } }, orderBy: { field: 'OCTETS' } }, caller()).endCursor,
    ],
    ['totals by process name', () => queries.totals({ groupBy: ['PROCESS_NAME'] }, caller())],
  ];
  for (const [name, query] of cases) {
    for (let i = 0; i < 3; i++) query();
    const times = Array.from({ length: 9 }, () => {
      const start = performance.now();
      query();
      return performance.now() - start;
    });
    print(`Scan of ${flows} flows, ${name}: ${median(times).toFixed(1)} ms`);
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

if (isMain(import.meta.url)) await run();
