import assert from 'node:assert/strict';
import { test } from 'node:test';
import { valueOf } from '../../src/export/element.js';
import { ELEMENTS } from '../../src/export/elements.js';
import { Filler } from '../../src/export/filler.js';
import { Interval } from '../../src/export/interval.js';
import { ipfix } from '../../src/export/ipfix.js';
import { fieldsOf, parseSpecification, type Shape } from '../../src/export/specification.js';
import { Usage } from '../../src/correlate/usage.js';
import { FakeState, T0 } from '../api/fake-state.js';

const EXPORTER = {
  ...{ hostName: 'testhost', hostId: 'h_test', ipv4: '192.0.2.1', ipv6: null },
  ...{ sourceId: 77, domain: 5, bootMs: 1_700_000_000_000 },
};
const ALL = fieldsOf(parseSpecification(ELEMENTS.map(({ name }) => `%${name}`).join(' ')), ipfix);

type Values = Record<string, number | string>;

interface Options {
  readonly shape?: Shape;
  readonly sent?: number;
  readonly received?: number;
  readonly change?: (interval: Interval, state: FakeState) => void;
}

/** The records of a flow from curl to nginx, by element. */
function fill({ shape = 'uniflow', sent = 500, received = 900, change = () => undefined }: Options = {}): Values[] {
  const state = new FakeState();
  const shell = state.addProcess({ name: 'bash', pid: 10, uid: 0 });
  const curl = state.addProcess({ name: 'curl', pid: 11, uid: 1000, parent: shell, args: ['curl', '-s', 'x'] });
  const nginx = state.addProcess({ name: 'nginx', pid: 12, uid: 33 });
  const flow = state.addFlow({ client: curl, server: nginx, clientPort: 40_000, serverPort: 80 });
  const usage = new Usage({ from: T0, to: T0 + 1_000_000 });
  Object.assign(usage, { cpuTimeMs: 125, memoryBytes: 1000, peakMemoryBytes: 2000, minorFaults: 7, majorFaults: 2 });
  for (const share of flow.client.shares) state.usages.set(share, usage);
  const interval = new Interval(flow);
  interval.startMicros = T0;
  interval.endMicros = T0 + 2_500_000;
  interval.reason = 3;
  Object.assign(interval.client, { octets: sent, packets: sent / 100, payloadBytes: sent / 2, retransmitted: 1 });
  Object.assign(interval.server, {
    octets: received,
    packets: received / 100,
    payloadBytes: received / 2,
    retransmitted: 0,
  });
  change(interval, state);
  const records: Values[] = [];
  new Filler(state, EXPORTER, shape, ALL).fill(interval, (record) => {
    const known = ELEMENTS.map((element) => [element.name, valueOf(element, record)] as const);
    records.push(Object.fromEntries(known.filter(([, value]) => value !== null)) as Values);
  });
  return records;
}

/** Some of the values of each record. */
function pick(records: readonly Values[], ...names: readonly string[]): (number | string | undefined)[][] {
  return records.map((values) => names.map((name) => values[name]));
}

test('a uniflow for each direction: source and destination swap, with their processes', () => {
  const records = fill();
  assert.deepEqual(
    pick(records, 'L4_SRC_PORT', 'L4_DST_PORT', 'IN_BYTES', 'IN_PKTS', 'SRC_PROC_NAME', 'DST_PROC_NAME'),
    [
      [40_000, 80, 500, 5, 'curl', 'nginx'],
      [80, 40_000, 900, 9, 'nginx', 'curl'],
    ],
  );
  assert.ok(records.every((values) => !('OUT_BYTES' in values)));
  assert.deepEqual(pick(records, 'BIFLOW_DIRECTION', 'initiatorOctets', 'responderOctets'), [
    [1, 250, 450],
    [2, 250, 450],
  ]);
});

test('a direction without packets has no record', () => {
  assert.deepEqual(pick(fill({ received: 0 }), 'L4_SRC_PORT'), [[40_000]]);
  assert.deepEqual(pick(fill({ sent: 0 }), 'L4_SRC_PORT'), [[80]]);
  assert.deepEqual(pick(fill({ sent: 0, shape: 'biflow' }), 'L4_SRC_PORT', 'BIFLOW_DIRECTION'), [[80, 2]]);
});

test('one record of both directions', () => {
  for (const shape of ['both', 'biflow'] as const) {
    assert.deepEqual(pick(fill({ shape }), 'L4_SRC_PORT', 'IN_BYTES', 'OUT_BYTES', 'IN_PKTS', 'OUT_PKTS'), [
      [40_000, 500, 900, 5, 9],
    ]);
  }
  assert.deepEqual(pick(fill({ shape: 'both', sent: 0 }), 'L4_SRC_PORT', 'IN_BYTES', 'OUT_BYTES'), [[40_000, 0, 900]]);
});

test('processes, their users, fathers, and what they spent', () => {
  const [values] = fill();
  const source = Object.entries(values ?? {}).filter(([name]) => name.startsWith('SRC_'));
  assert.deepEqual(Object.fromEntries(source), {
    SRC_PROC_PID: 11,
    SRC_PROC_NAME: 'curl',
    SRC_PROC_USER_NAME: 'ada',
    SRC_FATHER_PROC_PID: 10,
    SRC_FATHER_PROC_NAME: 'bash',
    SRC_PROC_ACTUAL_MEMORY: 1000,
    SRC_PROC_PEAK_MEMORY: 2000,
    SRC_PROC_AVERAGE_CPU_LOAD: 1250,
    SRC_PROC_NUM_PAGE_FAULTS: 9,
    SRC_PROC_UID: 1000,
    SRC_PROC_CMDLINE: 'curl -s x',
    SRC_FATHER_PROC_UID: 0,
    SRC_FATHER_PROC_USER_NAME: 'root',
  });
  // nginx has no father and no usage that anybody knows.
  assert.deepEqual(
    ['DST_FATHER_PROC_PID', 'DST_PROC_ACTUAL_MEMORY', 'DST_PROC_AVERAGE_CPU_LOAD'].filter(
      (name) => name in (values ?? {}),
    ),
    [],
  );
});

test('a remote end has no process, and no zeros in its place', () => {
  const records = fill({
    change: ({ flow }) => {
      flow.server.process = null;
      flow.server.local = false;
      flow.minRttMicros = 3000;
    },
  });
  assert.ok(records.every((values) => !('DST_PROC_PID' in values) || !('SRC_PROC_PID' in values)));
  assert.deepEqual(pick(records, 'DIRECTION', 'SERVER_NW_LATENCY_MS', 'CLIENT_NW_LATENCY_MS', 'USER_NAME'), [
    [1, 1.5, undefined, 'ada'],
    [0, 1.5, undefined, 'ada'],
  ]);
});

test('what is not known is not told', () => {
  const [values] = fill({
    change: ({ client, flow }) => {
      client.octets = NaN;
      flow.client.address = '';
      flow.client.port = null;
    },
  });
  for (const name of ['IN_BYTES', 'IPV4_SRC_ADDR', 'L4_SRC_PORT', 'TCP_SRC_PORT', 'TCP_FLAGS', 'L7_PROTO']) {
    assert.ok(!(name in (values ?? {})), name);
  }
});

test('the latest request of HTTP', () => {
  const [values] = fill({
    change: ({ flow }, state) => {
      state.addExchange(flow, { target: '/first' });
      state.addExchange(flow, { method: 'POST', target: '/login', host: 'example.org', status: 302, durationMs: 20 });
      if (flow.exchanges !== null) flow.exchanges.clientEndedUpTo = 1;
    },
  });
  const names = ['HTTP_METHOD', 'HTTP_URL', 'HTTP_HOST', 'HTTP_RET_CODE', 'APPL_LATENCY_MS', 'httpMessageVersion'];
  assert.deepEqual(pick([values ?? {}], ...names), [['POST', '/login', 'example.org', 302, 20, 'HTTP/1.1']]);
});

test('applications, with nDPI names and numbers', () => {
  const [values] = fill({
    change: ({ flow }) => {
      flow.application = {
        ...{ id: 126, protocol: 'TLS', name: 'Google', category: 'Web', confidence: 'PACKETS' },
        ...{ serverName: 'www.google.com', alpn: null, tlsVersion: null, httpHost: null, httpUserAgent: null },
        ...{ dnsQuery: null, dnsReplyCode: null, sshClient: null, sshServer: null },
      };
    },
  });
  const names = ['L7_PROTO', 'L7_PROTO_NAME', 'applicationName', 'L7_CONFIDENCE', 'TLS_SERVER_NAME', 'L7_INFO'];
  assert.deepEqual(pick([values ?? {}], ...names), [
    [126, 'TLS.Google', 'TLS.Google', 6, 'www.google.com', 'www.google.com'],
  ]);
});

test('what is the same in all records', () => {
  const [values] = fill();
  assert.deepEqual(
    pick([values ?? {}], 'NPROBE_INSTANCE_NAME', 'NPROBE_IPV4_ADDRESS', 'UNIQUE_SOURCE_ID', 'OBSERVATION_DOMAIN_ID'),
    [['testhost', '192.0.2.1', 77, 5]],
  );
  assert.equal(values?.['FLOW_DURATION_MILLISECONDS'], 2500);
});

test('a user whose name was not looked up yet has none', () => {
  const [record] = fill({ change: (_interval, state) => (state.userName = () => null) });
  assert.deepEqual([record?.['SRC_PROC_UID'], record?.['SRC_PROC_USER_NAME']], [1000, undefined]);
});
