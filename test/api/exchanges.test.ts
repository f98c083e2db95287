import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { Exchange } from '../../src/correlate/exchange.js';
import type { Flow, Process } from '../../src/correlate/model.js';
import { FakeTokens } from './harness-config.js';
import { startHarness, type Harness } from './harness.js';

let api: Harness;
let nginx: Process;
let hog: Process;
let local: Flow;
let slow: Exchange;

before(async () => {
  api = await startHarness();
  const { state } = api;
  const curl = state.addProcess({ name: 'curl' });
  nginx = state.addProcess({ name: 'nginx', uid: 33 });
  hog = state.addProcess({ name: 'hog' });
  const idle = state.addProcess({ name: 'idle' });
  local = state.addFlow({ client: curl, server: nginx });
  state.addExchange(local, { target: '/fast', host: 'localhost' });
  slow = state.addExchange(local, { target: '/slow', durationMs: 250, cpuMs: 40, responseBytes: 2 ** 53 });
  state.addExchange(local, { target: '/later', live: true });
  const away = state.addFlow({ client: curl, serverAddress: '93.184.216.34', serverPort: 8080 });
  state.addExchange(away, { method: 'POST', target: '/away', status: 503, startMs: 100 });
  for (const [process, cpuMs] of [
    [nginx, 300],
    [hog, 200],
    [curl, 20],
    [idle, 0],
  ] as const) {
    state.cpuMs.set(process, cpuMs);
  }
});

async function targets(query: string): Promise<unknown> {
  const { exchanges } = await api.json(`/v1/exchanges?${query}`);
  return (exchanges as { target: string }[]).map(({ target }) => target);
}

test('the story of a slow request in one query: who served it, what it cost, what ran meanwhile', async () => {
  const { data, errors } = await api.graphql(`{
    exchanges(where: {minDurationMs: 200}) {
      totalCount
      nodes {
        method target hostHeader status outcome durationMs serverTimeMs protocol ordinal requestBytes responseBytes userAgent
        startTime requestEndTime firstResponseByteTime endTime host { name } flow { id server { port } }
        client { name user { name } } server { name user { name } } thread { tid name }
        usage { window { from to } cpuTimeMs averageCpuLoadPercent memoryBytes ioWaitMs } threadUsage { cpuTimeMs }
        concurrentProcesses(first: 2) { process { name } usage { cpuTimeMs averageCpuLoadPercent window { from to } } }
        notes { code description }
      }
    }
  }`);
  assert.equal(errors, undefined);
  const window = { from: '2026-11-23T08:43:09.065028Z', to: '2026-11-23T08:43:09.315028Z' };
  assert.deepEqual((data as { exchanges: unknown }).exchanges, {
    totalCount: 1,
    nodes: [
      {
        method: 'GET',
        target: '/slow',
        hostHeader: null,
        status: 200,
        outcome: 'ANSWERED',
        durationMs: 250,
        serverTimeMs: 250,
        protocol: 'HTTP/1.1',
        ordinal: 1,
        requestBytes: 80,
        responseBytes: '9007199254740992',
        userAgent: null,
        startTime: window.from,
        requestEndTime: window.from,
        firstResponseByteTime: window.to,
        endTime: window.to,
        host: { name: 'testhost' },
        flow: { id: local.id, server: { port: 80 } },
        client: { name: 'curl', user: { name: 'ada' } },
        server: { name: 'nginx', user: { name: 'www-data' } },
        thread: { tid: nginx.pid, name: 'worker' },
        usage: { window, cpuTimeMs: 40, averageCpuLoadPercent: 16, memoryBytes: 0, ioWaitMs: null },
        threadUsage: { cpuTimeMs: 0 },
        concurrentProcesses: [
          { process: { name: 'hog' }, usage: { cpuTimeMs: 200, averageCpuLoadPercent: 80, window } },
          { process: { name: 'curl' }, usage: { cpuTimeMs: 20, averageCpuLoadPercent: 8, window } },
        ],
        notes: [
          { code: 'PEAK_MEMORY_UNKNOWN', description: 'The highest memory in the window is not known.' },
          {
            code: 'IO_WAIT_NOT_ACCOUNTED',
            description:
              'The kernel does not account how long the server waits for I/O: it is older than kernel.task_delayacct was on, or that is off.',
          },
        ],
      },
    ],
  });
});

test('both doors filter alike', async () => {
  assert.deepEqual(await targets('orderBy=startTime:asc'), ['/fast', '/slow', '/later', '/away']);
  assert.deepEqual(await targets('minDurationMs=200'), ['/slow']);
  assert.deepEqual(await targets('durationMs>=5&durationMs<=6&orderBy=startTime:asc'), ['/fast', '/away']);
  assert.deepEqual(await targets('status>=500'), ['/away']);
  assert.deepEqual(await targets('status=200,503&not.method=POST&orderBy=duration'), ['/slow', '/fast']);
  assert.deepEqual(await targets('live=true'), ['/later']);
  assert.deepEqual(await targets('outcome=answered&target^=/f'), ['/fast']);
  assert.deepEqual(await targets('host=localhost'), ['/fast']);
  assert.deepEqual(await targets('process=nginx&orderBy=startTime:asc'), ['/fast', '/slow', '/later']);
  assert.deepEqual(await targets('user=www-data&cpuTimeMs>=10'), ['/slow']);
  assert.deepEqual(await targets('address=93.184.0.0/16'), ['/away']);
  assert.deepEqual(await targets('serverPort=8080'), ['/away']);
  assert.deepEqual(await targets('note=SERVER_REMOTE'), ['/away']);
  assert.deepEqual(await targets(`flow=${local.id}&minDurationMs=1&orderBy=cpuTime`), ['/slow', '/fast']);
  assert.deepEqual(await targets('responseBytes>=1001'), ['/slow']);
  const { data } = await api.graphql(
    '{ exchanges(where: {or: [{status: {gte: 500}}, {durationMs: {gte: 200}}]}, except: {method: {eq: "POST"}}) { nodes { target } } }',
  );
  assert.deepEqual(data, { exchanges: { nodes: [{ target: '/slow' }] } });
  const wrong = await api.json('/v1/exchanges?minDuration=5');
  assert.match(String(wrong['detail']), /did you mean "minDurationMs"/);
});

test('a window has what lasted in it', async () => {
  assert.deepEqual(await targets(`from=${seconds(60)}&to=${seconds(90)}&orderBy=startTime:asc`), ['/slow', '/later']);
  assert.deepEqual(await targets(`to=${seconds(0)}`), ['/fast']);
});

/** T0 and so many ms, as Unix seconds. */
function seconds(ms: number): string {
  return (1_795_423_389.064028 + ms / 1000).toFixed(6);
}

test('pages follow each other, and a flow has its own list', async () => {
  const seen: unknown[] = [];
  let token = '';
  do {
    const page = await api.json(`/v1/exchanges?pageSize=1&orderBy=startTime${token}`);
    seen.push(...(page['exchanges'] as { target: string }[]).map(({ target }) => target));
    const next = page['nextPageToken'];
    token = typeof next === 'string' ? `&pageToken=${next}` : '';
  } while (token !== '');
  assert.deepEqual(seen, ['/away', '/later', '/slow', '/fast']);
  const { exchanges, totalCount } = await api.json(`/v1/flows/${local.id}/exchanges?fields=target&pageSize=2`);
  assert.deepEqual(exchanges, [{ target: '/later' }, { target: '/slow' }]);
  assert.equal(totalCount, 3);
  const { data } = await api.graphql(
    `{ flow(id: "${local.id}") { exchanges(first: 1, where: {live: false}) { totalCount nodes { target } pageInfo { hasNextPage } } } }`,
  );
  assert.deepEqual((data as { flow: { exchanges: unknown } }).flow.exchanges, {
    totalCount: 2,
    nodes: [{ target: '/slow' }],
    pageInfo: { hasNextPage: true },
  });
  assert.equal((await api.get('/v1/flows/f_none/exchanges')).status, 404);
});

test('one exchange is found by its id, by any door', async () => {
  const whole = await api.json(`/v1/exchanges/${slow.id}`);
  assert.equal(whole['target'], '/slow');
  assert.deepEqual(whole['flow'], {
    id: local.id,
    client: { address: '127.0.0.1', port: local.client.port },
    server: { address: '127.0.0.1', port: 80 },
  });
  const concurrent = whole['concurrentProcesses'] as { process: { name: string } }[];
  assert.deepEqual(
    concurrent.map(({ process }) => process.name),
    ['hog', 'curl'],
  );
  const { data } = await api.graphql(
    `{ exchange(id: "${slow.id}") { id } node(id: "${slow.id}") { __typename ... on Exchange { target } } none: exchange(id: "x_1.1") { id } }`,
  );
  assert.deepEqual(data, {
    exchange: { id: slow.id },
    node: { __typename: 'Exchange', target: '/slow' },
    none: null,
  });
  assert.equal((await api.get('/v1/exchanges/x_1.1')).status, 404);
});

test('what ran meanwhile can be ordered by any measure', async () => {
  const { data } = await api.graphql(
    `{ exchange(id: "${slow.id}") { concurrentProcesses(orderBy: MEMORY, first: 1) { process { name } } io: concurrentProcesses(orderBy: IO_WAIT) { process { name } } } }`,
  );
  assert.deepEqual(data, { exchange: { concurrentProcesses: [{ process: { name: 'hog' } }], io: [] } });
});

test('a list is a table for spreadsheets, too', async () => {
  const text = await (
    await api.get('/v1/exchanges?target=/slow&format=csv&fields=target,durationMs,server.name,usage.cpuTimeMs')
  ).text();
  assert.deepEqual(text.split('\r\n').slice(0, 2), [
    'target,durationMs,server.name,usage.cpuTimeMs',
    '/slow,250,nginx,40',
  ]);
});

test('scopes: exchanges come with flows, other processes only to who may read processes', async () => {
  const tokens = new FakeTokens({ pf_flows: ['flows:read'], pf_processes: ['processes:read'] });
  const other = await startHarness({ tokens, config: { host: '0.0.0.0' } });
  const flow = other.state.addFlow({
    client: other.state.addProcess(),
    server: other.state.addProcess({ name: 'nginx' }),
  });
  const exchange = other.state.addExchange(flow);
  other.state.cpuMs.set(other.state.addProcess({ name: 'hog' }), 5);
  const as = (token: string) => ({ headers: { authorization: `Bearer ${token}`, host: 'procflow.example' } });
  assert.equal((await other.get('/v1/exchanges', as('pf_processes'))).status, 403);
  const whole = await other.json(`/v1/exchanges/${exchange.id}`, as('pf_flows'));
  assert.equal(whole['concurrentProcesses'], null);
  const refused = await other.json('/v1/exchanges?commandLine~=x', as('pf_flows'));
  assert.equal(refused['code'], 'FORBIDDEN');
});

test('events of exchanges come by SSE and by GraphQL, filtered', async () => {
  const other = await startHarness();
  const flow = other.state.addFlow({
    client: other.state.addProcess(),
    server: other.state.addProcess({ name: 'nginx' }),
  });
  const controller = new AbortController();
  const open = (path: string, init: RequestInit = {}) => other.get(path, { ...init, signal: controller.signal });
  const rest = await open('/v1/exchanges/stream?minDurationMs=200&events=ended&windowMs=10&fields=target,status', {
    headers: { accept: 'application/x-ndjson' },
  });
  const query =
    'subscription { exchangeEvents(where: {status: {gte: 500}}, events: [ENDED], windowMs: 10) { dropped events { kind exchange { target server { name } } } } }';
  const graphql = await open('/graphql/stream', {
    method: 'POST',
    body: JSON.stringify({ query }),
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
  });
  for (const sketch of [{ target: '/ok' }, { target: '/slow', durationMs: 300 }, { target: '/bad', status: 500 }]) {
    const exchange = other.state.addExchange(flow, sketch);
    other.state.emit({ kind: 'exchange', event: 'STARTED', exchange });
    other.state.emit({ kind: 'exchange', event: 'ENDED', exchange });
  }
  const line = JSON.parse(await match(rest, /^(.*)\n/)) as { event: string; id: string; exchange: unknown };
  assert.equal(line.event, 'ended');
  assert.match(line.id, /^[0-9a-z]+-4$/);
  assert.deepEqual(line.exchange, { target: '/slow', status: 200 });
  const result = JSON.parse(await match(graphql, /data: (.*"\/bad".*)\n/)) as { data: unknown };
  assert.deepEqual(result.data, {
    exchangeEvents: {
      dropped: 0,
      events: [{ kind: 'ENDED', exchange: { target: '/bad', server: { name: 'nginx' } } }],
    },
  });
  controller.abort();
});

/** The first group of what a stream says, as soon as it matches. */
async function match(response: Response, pattern: RegExp): Promise<string> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const found = pattern.exec(text)?.[1];
    if (found !== undefined) return found;
    const chunk = await reader?.read();
    if (chunk?.value === undefined) throw new Error(`the stream ended: ${text}`);
    text += chunk.value;
  }
}
