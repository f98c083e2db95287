import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Caller, FLOW_ORDERS, Queries, type FlowListArguments, type Page } from '../../../src/api/query/index.js';
import { Best } from '../../../src/api/query/best.js';
import { comparator, type Key } from '../../../src/api/query/order.js';
import { Pins } from '../../../src/api/query/pins.js';
import type { Flow } from '../../../src/correlate/model.js';
import { LOCAL } from '../../../src/api/auth/index.js';
import { FakeState } from '../fake-state.js';

function setUp(flows: number) {
  const state = new FakeState();
  const curl = state.addProcess();
  for (let i = 0; i < flows; i++) state.addFlow({ client: curl, sent: (i * 7919) % 13, received: 0 });
  const queries = new Queries(state, 1000);
  const page = (args: FlowListArguments): Page<Flow> => queries.flows(args, new Caller(LOCAL.scopes, state.now, 5000));
  return { state, curl, queries, page };
}

/** Reads all pages, with something happening between them. */
function readAll(
  page: (args: FlowListArguments) => Page<Flow>,
  args: FlowListArguments,
  between: () => void,
): string[] {
  const ids: string[] = [];
  let after: string | null = null;
  for (;;) {
    const got: Page<Flow> = page({ ...args, after });
    ids.push(...got.nodes.map(({ id }) => id));
    if (!got.hasNextPage) return ids;
    after = got.endCursor;
    between();
  }
}

for (const { name } of FLOW_ORDERS) {
  for (const direction of ['ASC', 'DESC'] as const) {
    test(`pages by ${name} ${direction} have each row of the first page's time once, while counters move and flows come`, () => {
      const { state, curl, page } = setUp(103);
      const before = [...state.flows()];
      let n = 0;
      const ids = readAll(page, { orderBy: { field: name, direction }, first: 10 }, () => {
        state.addFlow({ client: curl, sent: 5 });
        for (const flow of before) {
          // Everything that can move moves, up and down past the cursor.
          const traffic = flow.client.sent;
          traffic.octets = (n++ * 31) % 17;
          traffic.packets = (n * 17) % 13;
          traffic.payloadBytes = (n * 13) % 11;
          flow.lastMicros = flow.startMicros + ((n * 7) % 1000);
          flow.rttMicros = (n * 5) % 7;
          if (n % 3 === 0) flow.endMicros = flow.lastMicros;
        }
      });
      const known = new Set(before.map(({ id }) => id));
      const old = ids.filter((id) => known.has(id));
      assert.equal(new Set(ids).size, ids.length, 'no row twice');
      assert.equal(old.length, before.length, 'no row left out');
    });
  }
}

test('the order is total: what is unknown comes last either way, ties go by id', () => {
  const { state, page } = setUp(20);
  const [first, second] = [...state.flows()];
  if (first === undefined || second === undefined) throw new Error('no flows');
  for (const flow of state.flows()) flow.rttMicros = 5;
  first.rttMicros = null;
  second.rttMicros = 9;
  const down = page({ orderBy: { field: 'RTT' }, first: 20 }).nodes.map(({ id }) => id);
  const up = page({ orderBy: { field: 'RTT', direction: 'ASC' }, first: 20 }).nodes.map(({ id }) => id);
  assert.equal(down[0], second.id);
  assert.equal(down.at(-1), first.id);
  assert.equal(up.at(-1), first.id);
  assert.deepEqual(down.slice(1, -1), [...down.slice(1, -1)].sort());
});

test('a flow that is forgotten between pages leaves a gap and nothing else', () => {
  const { state, page } = setUp(30);
  const ids = [...state.flows()].map(({ id }) => id);
  let gone = 0;
  const read = readAll(page, { orderBy: { field: 'OCTETS' }, first: 7 }, () => {
    for (const flow of [...state.flows()].slice(0, 2)) {
      state.forget(flow);
      gone++;
    }
  });
  assert.equal(new Set(read).size, read.length);
  assert.ok(read.length >= ids.length - gone);
});

test('a page whose rows are all forgotten still leads on', () => {
  const { state, page } = setUp(30);
  const first = page({ orderBy: { field: 'OCTETS' }, first: 10 });
  const pinned = page({ orderBy: { field: 'OCTETS' }, first: 10, after: first.endCursor });
  for (const flow of pinned.nodes) state.forget(flow);
  const again = page({ orderBy: { field: 'OCTETS' }, first: 10, after: first.endCursor });
  assert.equal(again.nodes.length, 0);
  assert.equal(again.hasNextPage, true);
  assert.equal(page({ orderBy: { field: 'OCTETS' }, first: 10, after: again.endCursor }).nodes.length, 10);
});

test('relative times mean the same on every page', () => {
  const { state, page } = setUp(30);
  const ids = readAll(page, { from: { agoMicros: 60e6 }, first: 10 }, () => {
    state.now += 3600e6;
    for (const flow of state.flows()) flow.endMicros ??= flow.startMicros + 1000;
  });
  assert.equal(ids.length, 30);
});

test('a window holds the flows that were alive in it', () => {
  const { state, curl, page } = setUp(0);
  const t = state.now;
  const early = state.addFlow({ client: curl, startMicros: t - 100e6, endMicros: t - 90e6 });
  const long = state.addFlow({ client: curl, startMicros: t - 100e6 });
  const late = state.addFlow({ client: curl, startMicros: t - 10e6, endMicros: t - 5e6 });
  const alive = (from: number, to: number) => new Set(page({ from: t - from, to: t - to }).nodes);
  assert.deepEqual(alive(95e6, 50e6), new Set([early, long]));
  assert.deepEqual(alive(50e6, 20e6), new Set([long]));
  assert.deepEqual(alive(50e6, 0), new Set([long, late]));
  assert.throws(() => page({ from: t, to: t - 1 }), { code: 'INVALID_ARGUMENT' });
});

test('cursors that do not belong are refused with what does not fit', () => {
  const { page } = setUp(30);
  const cursor = page({ first: 5 }).endCursor;
  const refuses = (args: FlowListArguments, message: RegExp) => {
    assert.throws(() => page(args), { code: 'INVALID_CURSOR', message });
  };
  refuses({ after: 'garbage' }, /not made by this agent/);
  refuses({ after: Buffer.from('[1,2]').toString('base64url') }, /not made by this agent/);
  refuses({ after: 'x'.repeat(5000) }, /not made by this agent/);
  refuses(
    { after: cursor, orderBy: { field: 'OCTETS' } },
    /order START_TIME DESC, and this request asks for OCTETS DESC/,
  );
  refuses({ after: cursor, orderBy: { field: 'START_TIME', direction: 'ASC' } }, /asks for START_TIME ASC/);
  refuses({ after: cursor, where: { port: { eq: 80 } } }, /another filter/);
  const pinned = page({ first: 5, orderBy: { field: 'OCTETS' } }).endCursor;
  const other = setUp(30);
  assert.throws(() => other.page({ after: pinned, orderBy: { field: 'OCTETS' } }), {
    code: 'INVALID_CURSOR',
    message: /no longer kept/,
  });
});

test('page sizes have bounds, and so has the time a scan may take', () => {
  const { page, queries } = setUp(10_000);
  for (const first of [0, -1, 1001, 1.5, NaN, Infinity])
    assert.throws(() => page({ first }), { code: 'INVALID_ARGUMENT', message: /first is 1 to 1000/ });
  assert.throws(() => queries.flows({}, new Caller(LOCAL.scopes, 0, -1)), { code: 'TIMEOUT' });
});

test('total count, cursors of edges and the ends of a page are right', () => {
  const { page } = setUp(12);
  const first = page({ first: 5 });
  assert.equal(first.totalCount, 12);
  assert.equal(first.hasPreviousPage, false);
  assert.equal(first.edges.length, 5);
  const third = first.edges[2];
  assert.deepEqual(page({ first: 2, after: third?.cursor ?? null }).nodes, [first.nodes[3], first.nodes[4]]);
  assert.equal(page({ first: 5, after: first.endCursor }).hasPreviousPage, true);
  assert.equal(page({ first: 5, where: { port: { eq: 1 } } }).endCursor, null);
});

test('the best of many are those that a whole sort would give', () => {
  for (const direction of ['ASC', 'DESC'] as const) {
    for (const size of [0, 1, 50, 5000, 20_000]) {
      const compare = comparator(direction);
      const best = new Best<number>(50, compare);
      const rows = Array.from({ length: size }, (_, i): [Key, string, number] => [
        i % 11 === 0 ? null : (i * 7919) % 997,
        String(i),
        i,
      ]);
      for (const [key, id, row] of rows) best.offer(key, id, row);
      const sorted = rows.sort((a, b) => compare(a[0], a[1], b[0], b[1])).slice(0, 50);
      assert.deepEqual(
        best.sorted().map(({ row }) => row),
        sorted.map(([, , row]) => row),
        `${direction} ${size}`,
      );
    }
  }
});

test('pinned orders are bounded in number, rows and time', () => {
  let now = 0;
  const pins = new Pins(() => now);
  const list = (rows: number) => ({
    ids: Array.from({ length: rows }, String),
    keys: Array.from({ length: rows }, () => 0),
  });
  const first = pins.add(list(1));
  for (let i = 0; i < 300; i++) {
    pins.add(list(1));
    if (i === 100) assert.ok(pins.get(first), 'used ones stay');
  }
  assert.equal(pins.size, 256);
  const big = pins.add(list(1_500_000));
  const bigger = pins.add(list(1_500_000));
  assert.equal(pins.get(big), undefined);
  assert.ok(pins.get(bigger), 'the newest is always kept');
  now += 11 * 60_000;
  assert.equal(pins.get(bigger), undefined);
});
