/** ZMQ exporters of an agent over a fake state, towards a collector of our own that reads as ntopng does. */
import assert from 'node:assert/strict';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { curveKeyPair, XSubscriber } from 'zeromq';
import { ELEMENTS } from '../../../src/export/elements.js';
import { v9Type } from '../../../src/export/element.js';
import { eventually } from '../../system/harness/eventually.js';
import { temporaryDirectory } from '../../temporary.js';
import { ExportHarness } from '../harness.js';
import { flowsOf, freePort, Ntopng, type Value } from './ntopng.js';

const names = new Map(ELEMENTS.map((element) => [String(v9Type(element)), element.name]));

/** By names of elements. */
function named(flow: Record<string, Value> | undefined): Record<string, Value> {
  return Object.fromEntries(Object.entries(flow ?? {}).map(([key, value]) => [names.get(key) ?? key, value]));
}

function collector(...args: ConstructorParameters<typeof Ntopng>): Ntopng {
  const ntopng = new Ntopng(...args);
  after(() => ntopng.close());
  return ntopng;
}

interface Pair {
  readonly harness: ExportHarness;
  readonly ntopng: Ntopng;
  readonly endpoint: string;
}

/** An agent that waits, and a collector that is subscribed to it. */
async function pair(settings: Readonly<Record<string, string>> = {}): Promise<Pair> {
  const port = await freePort();
  const harness = new ExportHarness({ 'export.to': `zmq://127.0.0.1:${port}`, 'export.maxDelayMs': '0', ...settings });
  const ntopng = collector();
  const endpoint = `tcp://127.0.0.1:${port}`;
  ntopng.connect(endpoint);
  await harness.up();
  return { harness, ntopng, endpoint };
}

describe('flows', () => {
  test('by default are TLV, one for both directions, with processes, and none is missing', async () => {
    const { harness, ntopng } = await pair({ 'export.domain': '4000000007' });
    harness.flows(500);
    await ntopng.hasFlows(500);
    await harness.close();
    await eventually(() => assert.equal(harness.status().sentMessages, ntopng.messages.length));
    const [message] = ntopng.of('flow');
    assert.equal(message?.kind, 'TLV');
    assert.equal(message.sourceId, 4_000_000_007);
    assert.deepEqual(
      ntopng.messages.map(({ messageId }) => messageId),
      ntopng.messages.map((_, i) => i + 1),
    );
    assert.equal(ntopng.drops, 0);
    assert.equal(ntopng.flows.length, 500);
    const flow = named(ntopng.flows[0]);
    assert.deepEqual(
      [flow['IPV4_SRC_ADDR'], flow['PROTOCOL'], flow['L4_DST_PORT'], flow['IN_BYTES'], flow['OUT_BYTES']],
      ['127.0.0.1', 6, 80, 500, 900],
    );
    assert.deepEqual(
      [flow['SRC_PROC_PID'], flow['SRC_PROC_NAME'], flow['SRC_PROC_USER_NAME'], flow['SRC_PROC_UID']],
      [4242, 'curl', 'ada', 1000],
    );
    assert.deepEqual([flow['SRC_PROC_CMDLINE'], flow['DST_PROC_CMDLINE']], ['curl -s', 'nginx -s']);
    assert.deepEqual(
      [flow['DST_PROC_PID'], flow['DST_PROC_NAME'], flow['DST_PROC_USER_NAME']],
      [4019, 'nginx', 'www-data'],
    );
    assert.equal(flow['NPROBE_INSTANCE_NAME'], 'testhost');
    const { sentRecords, notSentRecords, format, transport, sessions } = harness.status();
    assert.deepEqual([sentRecords, notSentRecords, format, transport, sessions], [500, 0, 'TLV', 'ZMQ', 1]);
  });

  for (const header of ['1', '2', '3']) {
    for (const format of ['tlv', 'json']) {
      test(`as ${format} with header ${header}`, async () => {
        const { harness, ntopng } = await pair({
          ...{ 'export.zmq.header': header, 'export.zmq.format': format, 'export.domain': '77' },
        });
        harness.flows(3);
        await ntopng.hasFlows(3);
        const [message] = ntopng.of('flow');
        assert.deepEqual([message?.kind, message?.sourceId], [format.toUpperCase(), 77]);
        assert.equal(named(ntopng.flows[0])['SRC_PROC_NAME'], 'curl');
        assert.equal(ntopng.drops, 0);
      });
    }
  }

  test('with labels are JSON with names as keys, none of them one that crashes ntopng', async () => {
    const { harness, ntopng } = await pair({ 'export.zmq.jsonLabels': 'true' });
    harness.flows(2);
    await ntopng.hasFlows(2);
    const [flow] = ntopng.flows;
    assert.equal(flow?.['SRC_PROC_NAME'], 'curl');
    assert.equal(flow['OUT_BYTES'], 900);
    assert.ok(!ELEMENTS.some(({ name }) => name === 'INTERFACE_NAME'));
  });

  test('for ntopng 2.0 are one JSON object a message, in the oldest header', async () => {
    const { harness, ntopng } = await pair({ 'export.zmq.ntopng': '2.0' });
    harness.flows(20);
    await ntopng.hasFlows(20);
    const messages = ntopng.of('flow');
    assert.equal(messages.length, 20);
    for (const { kind, messageId, payload } of messages) {
      assert.deepEqual([kind, messageId, payload[0]], ['JSON', null, '{'.charCodeAt(0)]);
      assert.ok(payload.length < 8192);
    }
    assert.equal(ntopng.flows[0]?.['57641'], 'curl');
  });

  test('fill messages that ntopng has room for', async () => {
    const { harness, ntopng } = await pair({ 'export.maxDelayMs': '5000' });
    harness.flows(2000);
    await ntopng.hasFlows(2000);
    const messages = ntopng.of('flow');
    assert.ok(messages.length < 40, `${messages.length} messages`);
    for (const { payload } of messages) assert.ok(payload.length <= 32_768);
  });

  test('are no more in a message than ntopng can count', async () => {
    const { harness, ntopng } = await pair({ 'export.maxDelayMs': '5000', 'export.template': '%IN_BYTES %OUT_BYTES' });
    harness.flows(600);
    await harness.close();
    await ntopng.hasFlows(600);
    assert.deepEqual(
      ntopng.of('flow').map((message) => flowsOf(message).length),
      [255, 255, 90],
    );
  });

  test('for ntopng 2.0 of a long time are told before it forgets them', async () => {
    const { harness, ntopng } = await pair({ 'export.zmq.ntopng': '2.0' });
    const { state } = harness;
    const flow = state.start({ client: state.addProcess({ name: 'rsync' }) });
    Object.assign(flow.client, { octets: 100, packets: 1 });
    flow.lastMicros = state.now + 50_000_000;
    state.now += 51_000_000;
    await ntopng.hasFlows(1);
    assert.equal(named(ntopng.flows[0])['IN_BYTES'], 100);
  });

  test('of a long time come as deltas that add up, each with the processes', async () => {
    const { harness, ntopng } = await pair({ 'flows.activeTimeoutMs': '10s' });
    const { state } = harness;
    const client = state.addProcess({ name: 'rsync', pid: 77 });
    const flow = state.start({ client });
    const counts = [6_000_000_000, 11_000_000_000, 11_000_000_500];
    for (const [i, octets] of counts.entries()) {
      Object.assign(flow.client, { octets, packets: 10 * (i + 1) });
      flow.lastMicros = state.now + 10_000_000;
      state.now += 11_000_000;
      if (i === counts.length - 1) state.end(flow);
      await ntopng.hasFlows(i + 1);
    }
    const flows = ntopng.flows.map(named);
    assert.deepEqual(
      flows.map((one) => one['IN_BYTES']),
      [6_000_000_000, 5_000_000_000, 500],
    );
    assert.deepEqual(
      flows.map((one) => one['SRC_PROC_NAME']),
      ['rsync', 'rsync', 'rsync'],
    );
  });
});

const STRANGE = [
  '"quoted"',
  'back\\slash',
  'new\nline',
  '\u0001\u001b[31m',
  'héllo wörld',
  '🦊🦊🦊🦊',
  'a'.repeat(5000),
  '\ud800 alone',
];

for (const format of ['tlv', 'json']) {
  test(`strange names of processes arrive as they are, in ${format}`, async () => {
    const { harness, ntopng } = await pair({ 'export.zmq.format': format });
    const { state } = harness;
    for (const name of STRANGE) {
      const flow = state.start({ client: state.addProcess({ name }) });
      Object.assign(flow.client, { octets: 1, packets: 1 });
      state.end(flow);
    }
    await ntopng.hasFlows(STRANGE.length);
    assert.deepEqual(
      ntopng.flows.map((flow) => named(flow)['SRC_PROC_NAME']),
      STRANGE.map((name) => name.slice(0, 1024).replace('\ud800', '\ufffd')),
    );
  });
}

test('a name that would make a record too long for ntopng 2.0 is cut', async () => {
  const { harness, ntopng } = await pair({ 'export.zmq.ntopng': '2.0' });
  const { state } = harness;
  const name = '\u0001'.repeat(4000);
  const client = state.addProcess({ name, parent: state.addProcess({ name }) });
  const flow = state.start({ client, server: client });
  Object.assign(flow.client, { octets: 1, packets: 1 });
  state.end(flow);
  await ntopng.hasFlows(1);
  assert.equal(named(ntopng.flows[0])['SRC_PROC_NAME'], name.slice(0, 64));
});

test('a subscriber is told of the probe, the elements and the ports', async () => {
  const { harness, ntopng } = await pair({ 'flows.activeTimeoutMs': '90s' });
  harness.flows(3);
  await ntopng.hasFlows(3);
  await eventually(() => assert.ok(ntopng.of('event').length >= 2 && ntopng.of('listening-ports').length >= 1));
  const document = (topic: string, index: number): Record<string, unknown> =>
    JSON.parse(String(ntopng.of(topic).at(index)?.payload)) as Record<string, unknown>;
  const event = document('event', -1);
  assert.deepEqual(event['timeout'], { lifetime: 90, idle: 30, collected_lifetime: 90 });
  assert.deepEqual(
    [event['bytes'], event['packets'], event['zmq']],
    [4200, 42, { num_flow_exports: 3, num_exporters: 1, num_zmq_exporters: 1 }],
  );
  const template = document('template', 0) as unknown as { readonly name: string; readonly PEN: number }[];
  for (const name of [
    'FIRST_SWITCHED',
    'LAST_SWITCHED',
    'L4_SRC_PORT',
    'L4_DST_PORT',
    'IP_PROTOCOL_VERSION',
    'PROTOCOL',
  ])
    assert.ok(template.some((field) => field.name === name));
  assert.ok(template.some(({ name, PEN }) => name === 'SRC_PROC_NAME' && PEN === 35_632));
  assert.equal(document('listening-ports', 0)['instance-name'], 'testhost');
  assert.equal(ntopng.drops, 0);
});

test('nobody is sent what nobody subscribed to: no message ids are missing', async () => {
  const port = await freePort();
  const harness = new ExportHarness({ 'export.to': `zmq://127.0.0.1:${port}`, 'export.maxDelayMs': '0' });
  const ntopng = collector({}, ['flow', 'event']);
  ntopng.connect(`tcp://127.0.0.1:${port}`);
  await harness.up();
  for (let i = 1; i <= 3; i++) {
    harness.flows(1);
    await ntopng.hasFlows(i);
    await eventually(() => assert.ok(ntopng.of('event').length >= 1));
  }
  assert.equal(ntopng.drops, 0);
  assert.equal(ntopng.messages.at(-1)?.messageId, ntopng.messages.length);
});

describe('connecting to ntopng that waits', () => {
  for (const [what, letter, settings] of [
    ['with a c at the end', 'c', {}],
    ['in probe mode', '', { 'export.zmq.probeMode': 'true' }],
  ] as const) {
    test(what, async () => {
      const ntopng = collector();
      const endpoint = (await ntopng.bind()).replace('tcp:', 'zmq:');
      const harness = new ExportHarness({ 'export.to': `${endpoint}${letter}`, 'export.maxDelayMs': '0', ...settings });
      await harness.up();
      harness.flows(5);
      await ntopng.hasFlows(5);
    });
  }

  test('two agents are merged, told apart by their source ids', async () => {
    const ntopng = collector();
    const endpoint = (await ntopng.bind()).replace('tcp:', 'zmq:');
    const agents = ['1', '2'].map(
      (domain) => new ExportHarness({ 'export.to': `${endpoint}c`, 'export.maxDelayMs': '0', 'export.domain': domain }),
    );
    for (const agent of agents) {
      await agent.up();
      agent.flows(50);
    }
    await ntopng.hasFlows(100);
    assert.deepEqual(new Set(ntopng.of('flow').map(({ sourceId }) => sourceId)), new Set([1, 2]));
    assert.equal(ntopng.drops, 0);
  });

  test('that restarts: what it missed waits for it', async () => {
    const first = collector();
    const endpoint = await first.bind();
    const harness = new ExportHarness({
      'export.to': `${endpoint.replace('tcp:', 'zmq:')}c`,
      'export.maxDelayMs': '0',
    });
    await harness.up();
    harness.flows(1);
    await first.hasFlows(1);
    first.close();
    await eventually(() => assert.equal(harness.status().state, 'DOWN'));
    harness.flows(3);
    const second = collector();
    await second.bind(endpoint);
    await harness.up();
    await second.hasFlows(3);
    assert.deepEqual([harness.status().sentRecords, harness.status().notSentRecords], [4, 0]);
    assert.equal(second.messages[0]?.messageId, Number(first.messages.at(-1)?.messageId) + 1);
  });

  test('that is not there yet', async () => {
    const port = await freePort();
    const harness = new ExportHarness({ 'export.to': `zmq://127.0.0.1:${port}c`, 'export.reconnectMs': '200' });
    await harness.failed(/nobody takes connections/);
    harness.flows(3);
    assert.deepEqual([harness.status().state, harness.status().notSentRecords], ['DOWN', 3]);
  });
});

test('a local socket', async () => {
  const path = join(temporaryDirectory(), 'flows');
  const harness = new ExportHarness({ 'export.to': `zmq+ipc://${path}`, 'export.maxDelayMs': '0' });
  const ntopng = collector();
  ntopng.connect(`ipc://${path}`);
  await harness.up();
  harness.flows(2);
  await ntopng.hasFlows(2);
});

describe('encryption', () => {
  const { publicKey, secretKey } = curveKeyPair();
  const server = { curveServer: true, curvePublicKey: publicKey, curveSecretKey: secretKey };

  async function encrypted(key: string): Promise<{ harness: ExportHarness; endpoint: string }> {
    const port = await freePort();
    const harness = new ExportHarness({
      ...{ 'export.to': `zmq://127.0.0.1:${port}`, 'export.maxDelayMs': '0', 'export.zmq.encryptionKey': key },
    });
    return { harness, endpoint: `tcp://127.0.0.1:${port}` };
  }

  test("ntopng with the key's other half gets flows", async () => {
    const { harness, endpoint } = await encrypted(publicKey);
    const ntopng = collector(server);
    ntopng.connect(endpoint);
    await harness.up();
    harness.flows(3);
    await ntopng.hasFlows(3);
  });

  test('another ntopng gets nothing, and that is told', async () => {
    const { harness, endpoint } = await encrypted(curveKeyPair().publicKey);
    const ntopng = collector(server);
    ntopng.connect(endpoint);
    await harness.failed(/is the key right/);
    harness.flows(3);
    assert.deepEqual([harness.status().state, harness.status().notSentRecords], ['DOWN', 3]);
    assert.equal(ntopng.messages.length, 0);
  });

  test('whoever does not encrypt gets nothing', async () => {
    const { harness, endpoint } = await encrypted(publicKey);
    const ntopng = collector();
    ntopng.connect(endpoint);
    await harness.failed(/disagree on encryption/);
    assert.equal(harness.status().state, 'DOWN');
  });
});

describe('when something is wrong', () => {
  test('without a subscriber records are not sent, with one they are, and without it again not', async () => {
    const port = await freePort();
    const harness = new ExportHarness({ 'export.to': `zmq://127.0.0.1:${port}`, 'export.maxDelayMs': '0' });
    harness.flows(7);
    assert.deepEqual([harness.status().state, harness.status().notSentRecords], ['DOWN', 7]);
    const ntopng = collector();
    ntopng.connect(`tcp://127.0.0.1:${port}`);
    await harness.up();
    harness.flows(2);
    await ntopng.hasFlows(2);
    ntopng.close();
    await eventually(() => assert.equal(harness.status().state, 'DOWN'));
    harness.flows(1);
    const { sentRecords, notSentRecords, notSentPackets, notSentOctets } = harness.status();
    assert.deepEqual([sentRecords, notSentRecords, notSentPackets, notSentOctets], [2, 8, 8 * 14, 8 * 1400]);
  });

  test('a subscriber that hangs loses, is counted, and takes nothing from the others', async () => {
    const [port, other] = [await freePort(), await freePort()];
    const harness = new ExportHarness({
      'export.to': `zmq://127.0.0.1:${port},zmq://127.0.0.1:${other}`,
      'export.zmq.highWaterMark': '20',
      'export.maxDelayMs': '0',
    });
    const hanging = collector({ receiveHighWaterMark: 1, receiveBufferSize: 4096 });
    hanging.hang(`tcp://127.0.0.1:${port}`);
    await harness.up();
    const beside = collector();
    beside.connect(`tcp://127.0.0.1:${port}`);
    const elsewhere = collector();
    elsewhere.connect(`tcp://127.0.0.1:${other}`);
    await harness.up(1);
    await eventually(() => assert.equal(harness.status().sessions, 2));
    let count = 0;
    while (harness.status().notSentRecords === 0 && count < 400_000) {
      harness.flows(1000);
      count += 1000;
      await beside.hasFlows(count);
    }
    const { notSentRecords, sentRecords, state } = harness.status();
    assert.ok(notSentRecords > 0, `nothing was lost of ${count}`);
    assert.deepEqual([sentRecords + notSentRecords, state], [count, 'UP']);
    await elsewhere.hasFlows(count);
    assert.deepEqual([harness.status(1).sentRecords, harness.status(1).notSentRecords], [count, 0]);
    assert.deepEqual([beside.drops, elsewhere.drops], [0, 0]);
  });

  test('more at once than may wait is counted as not sent', async () => {
    const { harness, ntopng } = await pair({ 'export.queueBytes': '65536', 'export.zmq.ntopng': '2.0' });
    harness.flows(1000);
    const { sentRecords, notSentRecords } = harness.status();
    assert.equal(sentRecords + notSentRecords, 1000);
    assert.ok(notSentRecords > 500 && sentRecords > 50, `${notSentRecords} not sent`);
    await ntopng.hasFlows(sentRecords);
  });

  test('a burst of more messages than the high-water mark arrives whole', async () => {
    const { harness, ntopng } = await pair({ 'export.zmq.highWaterMark': '100', 'export.zmq.ntopng': '2.0' });
    harness.flows(1000);
    await ntopng.hasFlows(1000);
    assert.equal(harness.status().notSentRecords, 0);
  });

  test('an endpoint that somebody has already is tried again', async () => {
    const blocker = createServer();
    await new Promise<void>((resolve) => void blocker.listen(0, '127.0.0.1', resolve));
    const { port } = blocker.address() as AddressInfo;
    const harness = new ExportHarness({
      ...{ 'export.to': `zmq://127.0.0.1:${port}`, 'export.reconnectMs': '100', 'export.maxDelayMs': '0' },
    });
    await harness.failed(/EADDRINUSE|Address already in use/);
    await new Promise((resolve) => blocker.close(resolve));
    const ntopng = collector();
    ntopng.connect(`tcp://127.0.0.1:${port}`);
    await harness.up();
    harness.flows(1);
    await ntopng.hasFlows(1);
  });
});

describe('whoever reaches the endpoint', () => {
  /** Sends what is given as if it were subscriptions. */
  function hostile(endpoint: string): XSubscriber {
    const socket = new XSubscriber({ linger: 0 });
    socket.connect(endpoint);
    after(() => socket.close());
    return socket;
  }

  /** Flows come to a collector, whatever it has lost in between. */
  async function getsFlows(harness: ExportHarness, ntopng: Ntopng): Promise<void> {
    const before = ntopng.flows.length;
    await eventually(() => {
      harness.flows(1);
      assert.ok(ntopng.flows.length > before);
    });
  }

  test('cannot unsubscribe others', async () => {
    const { harness, ntopng, endpoint } = await pair();
    const socket = hostile(endpoint);
    for (const message of ['\0flow', '\0event', '\0', '\u0007', '\u0002flow', '']) await socket.send(message);
    await socket.send('\u0001flow');
    await eventually(() => assert.equal(harness.status().sessions, 2));
    await getsFlows(harness, ntopng);
  });

  test('is not taken for a subscriber any more when it has subscribed twice and left', async () => {
    const port = await freePort();
    const harness = new ExportHarness({ 'export.to': `zmq://127.0.0.1:${port}` });
    const socket = hostile(`tcp://127.0.0.1:${port}`);
    for (let i = 0; i < 2; i++) await socket.send('\u0001flow');
    await eventually(() => assert.equal(harness.status().sessions, 2));
    socket.close();
    await eventually(() => assert.equal(harness.status().state, 'DOWN'));
  });

  test('is thrown out with all others when it subscribes to more than there is; they come back', async () => {
    const { harness, ntopng, endpoint } = await pair();
    const socket = hostile(endpoint);
    for (let i = 0; i < 200; i++) await socket.send(`\u0001${i}`);
    await harness.failed(/sends more than ntopng does/);
    socket.close();
    await harness.up();
    await getsFlows(harness, ntopng);
  });

  test('is thrown out when it sends without end', async () => {
    const { harness, ntopng, endpoint } = await pair();
    const socket = hostile(endpoint);
    for (let i = 0; i < 2000; i++) await socket.send('\u0001flow');
    await harness.failed(/sends more than ntopng does/);
    socket.close();
    await harness.up();
    await getsFlows(harness, ntopng);
  });

  test('loses its connection by a message that is too long', async () => {
    const { harness, ntopng, endpoint } = await pair();
    const socket = hostile(endpoint);
    let disconnects = 0;
    socket.events.on('disconnect', () => disconnects++);
    await socket.send(`\u0001${'x'.repeat(100_000)}`);
    await eventually(() => assert.ok(disconnects > 0));
    harness.flows(1);
    await ntopng.hasFlows(1);
    assert.equal(ntopng.drops, 0);
  });

  test('cannot take all descriptors with connections', async () => {
    const { harness, ntopng, endpoint } = await pair();
    const port = Number(new URL(endpoint).port);
    const sockets: Socket[] = [];
    after(() => sockets.forEach((socket) => socket.destroy()));
    for (let i = 0; i < 300; i++) {
      const socket = connect(port, '127.0.0.1', () => socket.write('GET / HTTP/1.0\r\n'));
      socket.on('error', () => undefined).resume();
      sockets.push(socket);
    }
    await harness.failed(/more than 256 connections/);
    await eventually(() => assert.ok(sockets.filter((socket) => !socket.closed).length <= 256));
    await harness.up();
    await getsFlows(harness, ntopng);
  });
});

test('endpoints that cannot be are told clearly', async () => {
  const nobody = new ExportHarness({ 'export.to': 'zmq://ntopng.example:5556' });
  await nobody.failed(
    /^tcp:\/\/ntopng.example:5556: no address or interface of this host; to connect, put a c at the end$/,
  );
  assert.throws(
    () => new ExportHarness({ 'export.to': 'zmq://*:5556', 'export.zmq.probeMode': 'true' }),
    /needs to know where ntopng waits/,
  );
});

test('the name of an interface is its IPv4 address', async () => {
  const port = await freePort();
  const harness = new ExportHarness({ 'export.to': `zmq://lo:${port}`, 'export.maxDelayMs': '0' });
  const ntopng = collector();
  ntopng.connect(`tcp://127.0.0.1:${port}`);
  await harness.up();
  harness.flows(1);
  await ntopng.hasFlows(1);
});
