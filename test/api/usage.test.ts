/** Usage, samples and series by both doors. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { createClient } from 'graphql-sse';
import type { Flow, Process } from '../../src/correlate/model.js';
import { FakeTokens, startHarness, type Harness } from './harness.js';
import { usage } from './fake-state.js';
import { Reader, sseEvent } from './stream-reader.js';

const MIB = 1024 * 1024;
const CONTAINER = { id: 'c'.repeat(64), runtime: 'docker', podUid: null };

let api: Harness;
let busy: Process;
let idle: Process;
let contained: Process;
let flow: Flow;

/** Second n: busy has spent n × 300 ms of CPU, contained n × 100 ms, idle nothing. */
before(async () => {
  api = await startHarness();
  const { state } = api;
  state.now = Math.floor(state.now / 60e6) * 60e6;
  const start = state.now;
  busy = state.addProcess({ name: 'cc1', executable: '/usr/lib/cc1', uid: 1000, startMicros: start - 1e9 });
  idle = state.addProcess({ name: 'sleep', executable: '/bin/sleep', uid: 1000, startMicros: start - 2e9 });
  contained = state.addProcess({ name: 'redis', executable: '/usr/bin/redis', uid: 33, startMicros: start - 3e9 });
  for (const process of [busy, idle, contained]) process.startedBefore = true;
  contained.container = CONTAINER;
  busy.connections = contained.connections = 1;
  flow = state.addFlow({ client: busy, server: contained });
  for (let second = 0; second <= 12; second++) {
    const spent = (ms: number, memory: number): object => ({
      cpuNs: second * ms * 1e6,
      userNs: second * ms * 0.5e6,
      ioWaitNs: 0,
      memoryBytes: memory * MIB,
      minorFaults: second * 7,
    });
    state.tick([busy, spent(300, 50)], [idle, { memoryBytes: MIB }], [contained, spent(100, 20)]);
  }
  state.tick();
  state.totals.set(busy, usage(90_000, { minorFaults: 10, memoryBytes: 50 * MIB, peakMemoryBytes: 70 * MIB }));
  state.currents.set(busy, usage(300));
  state.totals.set(contained, usage(500, { minorFaults: 99, memoryBytes: 20 * MIB, ioWaitMs: 4 }));
  state.currents.set(contained, usage(100));
  state.totals.set(idle, usage(1, { minorFaults: 0, memoryBytes: MIB }));
  const [share] = flow.client.shares;
  assert.ok(share);
  state.usages.set(share, usage(25, { memoryBytes: 2 ** 53 + 2, ioWaitMs: 50, readBytes: 4096 }));
});

async function names(path: string): Promise<string[]> {
  const answer = (await api.json(path)) as { processes: { name: string }[] };
  return answer.processes.map(({ name }) => name);
}

const USAGE =
  'cpuTimeMs averageCpuLoadPercent memoryBytes ioWaitMs ioWaitPercent readBytes minorFaults window { from to }';

test('a flow shows what its process spent, at the end and for each that shared it', async () => {
  const { data } = await api.graphql(
    `query($id: ID!) { flow(id: $id) { client { usage { ${USAGE} } processes { usage { cpuTimeMs } } } server { usage { cpuTimeMs } } } }`,
    { id: flow.id },
  );
  const expected = {
    cpuTimeMs: 25,
    averageCpuLoadPercent: 2.5,
    memoryBytes: '9007199254740994',
    ioWaitMs: 50,
    ioWaitPercent: 5,
    readBytes: 4096,
    minorFaults: null,
    window: { from: '2026-11-23T08:43:08.064028Z', to: '2026-11-23T08:43:09.064028Z' },
  };
  assert.deepEqual((data as { flow: object }).flow, {
    client: { usage: expected, processes: [{ usage: { cpuTimeMs: 25 } }] },
    server: { usage: null },
  });
  const rest = await api.json(`/v1/flows/${flow.id}?fields=client.usage,server.usage,client.processes.usage.cpuTimeMs`);
  const { usage: shown, processes } = rest['client'] as { usage: Record<string, unknown>; processes: unknown };
  assert.deepEqual(Object.fromEntries(Object.keys(expected).map((name) => [name, shown[name]])), expected);
  assert.deepEqual(processes, [{ usage: { cpuTimeMs: 25 } }]);
  assert.deepEqual(rest['server'], { usage: null });
});

test('processes, users and containers are ordered by what they spend', async () => {
  const own = 'process=cc1,sleep,redis';
  assert.deepEqual(await names(`/v1/processes?${own}&orderBy=cpuTime`), ['cc1', 'redis', 'sleep']);
  assert.deepEqual(await names(`/v1/processes?${own}&orderBy=cpuLoad:desc`), ['cc1', 'redis', 'sleep']);
  assert.deepEqual(await names(`/v1/processes?${own}&orderBy=minorFaults`), ['redis', 'cc1', 'sleep']);
  assert.deepEqual(await names(`/v1/processes?${own}&orderBy=memory:asc`), ['sleep', 'redis', 'cc1']);
  assert.deepEqual((await names(`/v1/processes?${own}&orderBy=ioWait`))[0], 'redis', 'what is unknown comes last');
  assert.deepEqual((await names(`/v1/processes?${own}&orderBy=connections`))[2], 'sleep');
  const { data } = await api.graphql(
    '{ users(orderBy: {field: CPU_TIME, direction: DESC}, first: 2) { nodes { name usage { cpuTimeMs } currentUsage { averageCpuLoadPercent memoryBytes } } } ' +
      'containers(orderBy: {field: MEMORY}) { nodes { id runtime usage { memoryBytes } network { connections } } totalCount } }',
  );
  assert.deepEqual(data, {
    users: {
      nodes: [
        { name: 'ada', usage: { cpuTimeMs: 3600 }, currentUsage: { averageCpuLoadPercent: 30, memoryBytes: 51 * MIB } },
        {
          name: 'www-data',
          usage: { cpuTimeMs: 1200 },
          currentUsage: { averageCpuLoadPercent: 10, memoryBytes: 20 * MIB },
        },
      ],
    },
    containers: {
      nodes: [{ id: CONTAINER.id, runtime: 'docker', usage: { memoryBytes: 20 * MIB }, network: { connections: 1 } }],
      totalCount: 1,
    },
  });
});

test('containers are listed, found and filtered over REST', async () => {
  const list = await api.json('/v1/containers?runtime=docker&id^=cc&fields=id,usage.cpuTimeMs');
  assert.deepEqual(list, { containers: [{ id: CONTAINER.id, usage: { cpuTimeMs: 1200 } }], totalCount: 1 });
  assert.deepEqual((await api.json('/v1/containers?not.runtime=docker'))['containers'], []);
  const one = await api.json(`/v1/containers/${CONTAINER.id}?fields=podUid,currentUsage.cpuTimeMs`);
  assert.deepEqual(one, { podUid: null, currentUsage: { cpuTimeMs: 100 } });
  const missing = await api.get('/v1/containers/none');
  assert.equal(missing.status, 404);
  assert.deepEqual((await api.graphql('{ container(id: "none") { id } }')).data, { container: null });
});

test('the host has its usage in status and GraphQL', async () => {
  const status = await api.json('/v1/status?fields=usage.cpuTimeMs,currentUsage.averageCpuLoadPercent,network');
  const network = { sentOctets: 0, receivedOctets: 0, sentPackets: 0, receivedPackets: 0, connections: 1 };
  assert.deepEqual(status, { usage: { cpuTimeMs: 4800 }, currentUsage: { averageCpuLoadPercent: 40 }, network });
  const { data } = await api.graphql(
    '{ host { usage { cpuTimeMs } network { connections } series(from: "-5s") { stepMs values { cpuLoadPercent } } } }',
  );
  assert.deepEqual(data, {
    host: {
      usage: { cpuTimeMs: 4800 },
      network: { connections: 1 },
      series: { stepMs: 1000, values: { cpuLoadPercent: [40, 40, 40, 40] } },
    },
  });
});

test('totals of flows can be ordered by what their processes spent, each counted once', async () => {
  const { state } = api;
  const extra = [state.addFlow({ client: busy }), state.addFlow({ client: busy })];
  const { data } = await api.graphql(
    '{ flowTotals(groupBy: [USER], orderBy: CPU_TIME) { user { name } flows usage { cpuTimeMs memoryBytes peakMemoryBytes } currentUsage { averageCpuLoadPercent } } }',
  );
  assert.deepEqual((data as { flowTotals: object }).flowTotals, [
    {
      user: { name: 'ada' },
      flows: 3,
      usage: { cpuTimeMs: 90_000, memoryBytes: 50 * MIB, peakMemoryBytes: null },
      currentUsage: { averageCpuLoadPercent: 30 },
    },
    {
      user: { name: 'www-data' },
      flows: 1,
      usage: { cpuTimeMs: 500, memoryBytes: 20 * MIB, peakMemoryBytes: null },
      currentUsage: { averageCpuLoadPercent: 10 },
    },
  ]);
  const rest = await api.json('/v1/totals?groupBy=protocol&orderBy=minorFaults&fields=protocol,usage.minorFaults');
  assert.deepEqual(rest['totals'], [{ protocol: 'TCP', usage: { minorFaults: 10 } }], 'seen from the client');
  for (const each of extra) state.forget(each);
});

interface SeriesAnswer {
  readonly from: string;
  readonly to: string;
  readonly stepMs: number;
  readonly timestamps: readonly string[];
  readonly series: readonly (Record<string, unknown> & { readonly values: Record<string, (number | null)[]> })[];
}

test('series by process: the largest first, with aligned steps, and null where nothing is known', async () => {
  const list = (await api.json(
    '/v1/series?groupBy=process&from=-16s&orderBy=cpuLoad&pageSize=2&fields=process.name,values.cpuLoadPercent,values.memoryBytes',
  )) as unknown as SeriesAnswer;
  assert.equal(list.stepMs, 1000);
  assert.equal(list.timestamps.length, 15);
  assert.deepEqual(
    list.timestamps.map((time) => Date.parse(time) % 1000),
    list.timestamps.map(() => 0),
  );
  assert.equal(list.from, list.timestamps[0]);
  assert.equal(Date.parse(list.to) - Date.parse(list.from), 15_000);
  assert.deepEqual(
    list.series.map(({ process }) => process),
    [{ name: 'cc1' }, { name: 'redis' }],
  );
  const known = Array.from({ length: 12 }, () => 30);
  const [first] = list.series;
  assert.deepEqual(first?.values['cpuLoadPercent'], [null, null, null, ...known]);
  assert.deepEqual(first.values['memoryBytes']?.slice(-2), [50 * MIB, 50 * MIB]);
});

test('the same in GraphQL, with filters, longer steps and one series of each thing', async () => {
  const { data } = await api.graphql(
    `query($id: ID!) {
      series(groupBy: PROCESS, where: {process: {in: ["cc1", "sleep"]}}, except: {user: {eq: "root"}}, from: "-13s", stepMs: 3000, orderBy: MINOR_FAULTS) {
        stepMs timestamps series { process { name } user { name } values { minorFaults userLoadPercent } }
      }
      users: series(groupBy: USER, where: {user: {eq: "ada"}}, from: "-3s") { series { user { name } process { name } values { cpuLoadPercent } } }
      executables: series(groupBy: EXECUTABLE, where: {process: {eq: "cc1"}}, from: "-3s") { series { executable } }
      containers: series(groupBy: CONTAINER, from: "-3s") { series { container { id runtime } values { cpuLoadPercent } } }
      hosts: series(from: "-3s") { series { host values { systemLoadPercent connections } } }
      process(id: $id) { series(from: "-13s", stepMs: 6000) { from to stepMs values { cpuLoadPercent ioWaitPercent } } }
      user(name: "www-data") { series(from: "-3s") { values { cpuLoadPercent } } }
      container(id: "${CONTAINER.id}") { series(from: "-3s") { values { cpuLoadPercent } } }
    }`,
    { id: busy.id },
  );
  const answer = data as unknown as Record<string, SeriesAnswer>;
  assert.equal(answer['series']?.stepMs, 3000);
  assert.deepEqual(
    answer['series'].series.map(({ process }) => process),
    [{ name: 'cc1' }, { name: 'sleep' }],
  );
  const faults = answer['series'].series[0]?.values['minorFaults'] ?? [];
  assert.deepEqual(faults.slice(1, -1), [21, 21]);
  assert.deepEqual(answer['users'], {
    series: [{ user: { name: 'ada' }, process: null, values: { cpuLoadPercent: [30, 30] } }],
  });
  assert.deepEqual(answer['executables'], { series: [{ executable: '/usr/lib/cc1' }] });
  assert.deepEqual(answer['containers'], {
    series: [{ container: { id: CONTAINER.id, runtime: 'docker' }, values: { cpuLoadPercent: [10, 10] } }],
  });
  assert.deepEqual(answer['hosts'], {
    series: [{ host: 'testhost', values: { systemLoadPercent: [20, 20], connections: [1, 1] } }],
  });
  const one = (data as unknown as { process: { series: { stepMs: number; values: Record<string, unknown[]> } } })
    .process;
  assert.equal(one.series.stepMs, 6000);
  assert.deepEqual(one.series.values['cpuLoadPercent']?.slice(0, 2), [30, 30]);
  assert.deepEqual(one.series.values['ioWaitPercent']?.slice(0, 2), [0, 0]);
  assert.deepEqual(answer['user'], { series: { values: { cpuLoadPercent: [10, 10] } } });
  assert.deepEqual(answer['container'], { series: { values: { cpuLoadPercent: [10, 10] } } });
});

test('a series as CSV has a line for each step', async () => {
  const text = await (
    await api.get(
      '/v1/series?groupBy=user&user=ada&from=-3s&format=csv&fields=user.name,values.cpuLoadPercent,values.connections',
    )
  ).text();
  const lines = text.trimEnd().split('\r\n');
  assert.equal(lines[0], 'time,user.name,values.cpuLoadPercent,values.connections');
  assert.equal(lines.length, 3);
  assert.match(lines[1] ?? '', /^20\d\d-.*Z,ada,30,1$/);
  const one = await (
    await api.get(`/v1/processes/${busy.id}/series?from=-2s&fields=values.minorFaults`, {
      headers: { accept: 'text/csv' },
    })
  ).text();
  assert.match(one, /^time,values.minorFaults\r\n20\d\d-.*Z,7\r\n$/);
});

test('series of one thing over REST', async () => {
  for (const path of [`/v1/processes/${busy.id}`, '/v1/users/ada', `/v1/containers/${CONTAINER.id}`]) {
    const series = (await api.json(`${path}/series?from=-4s&stepMs=1500&fields=stepMs,values.cpuLoadPercent`)) as {
      stepMs?: number;
      values?: Record<string, unknown[]>;
    };
    assert.equal(series.stepMs, 2000, path);
    assert.equal(typeof series.values?.['cpuLoadPercent']?.[0], 'number', path);
  }
  const unknown = (await api.json(`/v1/users/root/series`)) as { code?: string };
  assert.equal(unknown.code, 'NOT_FOUND');
});

test('what series cannot be asked for is refused with the way out', async () => {
  const cases: readonly [path: string, status: number, message: RegExp][] = [
    ['/v1/series?groupBy=user&pid=3', 400, /series by USER are told apart by user and uid; by PROCESS, by all fields/],
    ['/v1/series?groupBy=host&process=x', 400, /by nothing/],
    ['/v1/series?from=-1s&to=-5s', 400, /ends \(to\) before it begins/],
    ['/v1/series?groupBy=color', 400, /known are process, executable/],
    ['/v1/series?stepMs=0', 400, /stepMs is at least 1/],
    ['/v1/series?groupBy=process&pageSize=10000&stepMs=1000', 422, /ask for fewer, or a longer step/],
    ['/v1/series?fields=values.cpu', 400, /fields has no path .*values\.cpu/],
    ['/v1/series?groupBy=process&commandLine~=secret', 200, /series/],
  ];
  for (const [path, status, message] of cases) {
    const response = await api.get(path);
    assert.equal(response.status, status, path);
    assert.match(await response.text(), message, path);
  }
  const { errors } = await api.graphql('{ series(stepMs: -5) { stepMs } }');
  assert.equal(errors?.[0]?.extensions.code, 'INVALID_ARGUMENT');
});

test('steps that are not asked for are at most a thousand, and those that are at most 11000', async () => {
  const small = await startHarness();
  small.state.recorder.store.reach(1);
  const list = (await small.json('/v1/series?groupBy=host&from=-1d')) as unknown as SeriesAnswer;
  assert.ok(list.timestamps.length <= 1000);
  assert.deepEqual(list.series, []);
});

test('series need the scope of processes', async () => {
  const guarded = await startHarness({ tokens: new FakeTokens({ flows: ['flows:read'] }) });
  const headers = { authorization: 'Bearer flows' };
  for (const path of ['/v1/series', '/v1/containers', '/v1/samples/stream']) {
    assert.equal((await guarded.get(path, { headers })).status, 403, path);
  }
  const { errors } = await guarded.graphql('{ series { stepMs } }', {}, { headers });
  assert.equal(errors?.[0]?.extensions.code, 'FORBIDDEN');
});

test('samples stream from the second of a process on, with what was spent and moved in between', async () => {
  const own = await startHarness();
  const { state } = own;
  const [cc, sh] = [state.addProcess({ name: 'cc' }), state.addProcess({ name: 'sh' })];
  const reader = new Reader(own, '\n\n');
  await reader.open(
    '/v1/samples/stream?process=cc&fields=process.name,usage.cpuTimeMs,usage.window,network.sentOctets',
  );
  state.tick([cc, { cpuNs: 1e9 }], [sh, { cpuNs: 1e9 }]);
  assert.ok(cc.meter);
  cc.meter.moved.sentOctets = 900;
  state.tick([cc, { cpuNs: 1.25e9 }], [sh, { cpuNs: 2e9 }]);
  const { event, id, data } = await sseEvent(reader);
  assert.deepEqual([event, id], ['sampled', undefined]);
  const { usage: spent, ...rest } = data as { usage: { cpuTimeMs: number; window: { from: string; to: string } } };
  assert.deepEqual(rest, { process: { name: 'cc' }, network: { sentOctets: 900 } });
  assert.equal(spent.cpuTimeMs, 250);
  assert.equal(Date.parse(spent.window.to) - Date.parse(spent.window.from), 1000);
  reader.close();
});

test('samples come less often when that is asked for, over all of the interval', async () => {
  const own = await startHarness();
  const { state } = own;
  const cc = state.addProcess({ name: 'cc' });
  const client = createClient({ url: `${own.url}/graphql/stream`, retryAttempts: 0 });
  const results = client.iterate({
    query:
      'subscription { samples(where: {process: {eq: "cc"}}, intervalMs: 3000) { dropped samples { process { name } usage { cpuTimeMs } network { connections } } } }',
  });
  const next = results.next();
  while (own.api.stats().subscribers === 0) await new Promise((resolve) => setImmediate(resolve));
  for (let second = 0; second <= 5; second++) {
    // A tick may come a little early.
    state.now -= second === 3 ? 20_000 : 0;
    state.tick([cc, { cpuNs: second * 1e8 }]);
  }
  const { value } = (await next) as { value: { data: { samples: object } } };
  assert.deepEqual(value.data.samples, {
    dropped: 0,
    samples: [{ process: { name: 'cc' }, usage: { cpuTimeMs: 300 }, network: { connections: 0 } }],
  });
  await results.return?.(undefined);
  client.dispose();
  const { errors } = await own.graphql('subscription { samples(intervalMs: 1) { dropped } }');
  assert.ok(errors);
});
