/** Flows of real processes, as a collector reads them that takes messages as ntopng does. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { v9Type } from '../../src/export/element.js';
import { elementNamed } from '../../src/export/elements.js';
import { freePort, Ntopng, type Value } from '../export/zmq/ntopng.js';
import { Agent, Child, eventually, run, skipWithoutBpf, type FlowView } from './harness/index.js';

const skip = await skipWithoutBpf('exports of real flows to ntopng');
const REQUESTS = 5;

/** The value of an element in a flow. */
function value(flow: Record<string, Value>, name: string): Value | undefined {
  const element = elementNamed(name);
  assert.ok(element !== undefined);
  return flow[v9Type(element)];
}

describe('exports to ntopng', { skip }, () => {
  const ntopng = new Ntopng();
  const beside = new Ntopng();
  let shown: FlowView[] = [];
  let flows: Record<string, Value>[] = [];
  let serverPort = 0;
  let waiting = 0;
  let serverPid = 0;

  before(async () => {
    // First, for ports are told soon after somebody wants them, and then for a minute no more.
    const server = new Child(process.execPath, ['-e', LISTENER]);
    serverPid = server.pid;
    serverPort = Number((await server.lines().next()).value);
    const endpoint = await ntopng.bind();
    waiting = await freePort();
    const agent = await Agent.start({ flags: ['--zmq', `${endpoint}c`, '--zmq', `tcp://127.0.0.1:${waiting}`] });
    beside.connect(`tcp://127.0.0.1:${waiting}`);
    await eventually(() => assert.ok(beside.of('event').length >= 1));
    for (let i = 0; i < REQUESTS; i++) await run('curl', '-s', '-o', '/dev/null', `http://127.0.0.1:${serverPort}/`);
    shown = await eventually(async () => {
      const ended = await agent.flows({ port: { eq: serverPort }, state: ['ENDED'] });
      assert.equal(ended.length, REQUESTS);
      return ended;
    });
    await eventually(() => assert.ok(ntopng.of('listening-ports').length >= 1));
    assert.equal((await agent.stop()).code, 0);
    flows = await eventually(() => {
      const found = ntopng.flows.filter((flow) => value(flow, 'L4_DST_PORT') === serverPort);
      assert.equal(found.length, REQUESTS);
      return found;
    });
    server.process.kill();
  });
  after(() => {
    ntopng.close();
    beside.close();
  });

  test('each flow is told once, with what the API says of both directions', () => {
    const truth = shown.map(({ client, server }) => [client.port, client.sent.octets, server.sent.octets].join(' '));
    const told = flows.map((flow) =>
      ['L4_SRC_PORT', 'IN_BYTES', 'OUT_BYTES'].map((name) => value(flow, name)).join(' '),
    );
    assert.deepEqual(told.sort(), truth.sort());
  });

  test('with the application, as nDPI numbers it', () => {
    for (const flow of flows) assert.deepEqual([value(flow, 'L7_PROTO'), value(flow, 'L7_CONFIDENCE')], [7, 6]);
  });

  test('with both processes, their father, user and command line', () => {
    for (const flow of flows) {
      assert.match(String(value(flow, 'SRC_PROC_CMDLINE')), /^curl -s -o/);
      assert.match(String(value(flow, 'DST_PROC_CMDLINE')), /node.* -e/);
      assert.equal(value(flow, 'SRC_PROC_NAME'), 'curl');
      assert.equal(value(flow, 'SRC_PROC_USER_NAME'), 'root');
      assert.equal(value(flow, 'SRC_FATHER_PROC_PID'), process.pid);
      assert.equal(value(flow, 'DST_PROC_PID'), serverPid);
      assert.equal(value(flow, 'DST_FATHER_PROC_PID'), process.pid);
      assert.ok(Number(value(flow, 'DST_PROC_ACTUAL_MEMORY')) > 10_000_000);
    }
  });

  test('the probe tells of itself, and nothing is missing', () => {
    assert.ok(ntopng.of('event').length >= 2);
    assert.ok(ntopng.of('template').length >= 1);
    assert.equal(ntopng.drops, 0);
    assert.equal(new Set(ntopng.messages.map(({ sourceId }) => sourceId)).size, 1);
  });

  test('a subscriber gets the same, and nothing of its own connection to the agent', () => {
    const known = (flow: Record<string, Value>): string =>
      ['L4_SRC_PORT', 'L4_DST_PORT', 'IN_BYTES', 'OUT_BYTES'].map((name) => value(flow, name)).join(' ');
    const all = new Set(beside.flows.map(known));
    for (const flow of flows) assert.ok(all.has(known(flow)));
    assert.ok(!beside.flows.some((flow) => value(flow, 'L4_DST_PORT') === waiting));
    assert.equal(beside.drops, 0);
  });

  test('the ports that somebody listens on are told, with who does', () => {
    const document = JSON.parse(String(ntopng.of('listening-ports').at(-1)?.payload)) as {
      readonly 'listening-ports': Record<string, { readonly port: number; readonly proc: string }[]>;
    };
    const found = document['listening-ports']['tcp4']?.find(({ port }) => port === serverPort);
    assert.match(found?.proc ?? '', /node/);
  });
});

const LISTENER = `
  const server = require('node:http').createServer((request, response) => response.end('hello'));
  server.listen(0, '0.0.0.0', () => console.log(server.address().port));
`;
