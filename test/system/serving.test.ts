/** What requests cost the process that serves them: what the API says, against what the kernel tells the process itself. */
import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { temporaryDirectory } from '../temporary.js';
import {
  Agent,
  Child,
  eventually,
  MeasuredServer,
  skipWithoutBpf,
  type Cost,
  type RawClient,
} from './harness/index.js';

const skip = await skipWithoutBpf('what requests cost');
const MS = 1e6;
const MIB = 1 << 20;
const PAGES = 1234;
const FILE_MIB = 64;
const GROWN_MIB = 200;
const SLOW_MS = 150;

interface UsageView {
  readonly window: { readonly from: string; readonly to: string };
  readonly cpuTimeMs: number;
  readonly userMs: number;
  readonly systemMs: number;
  readonly averageCpuLoadPercent: number;
  readonly memoryBytes: number;
  readonly peakMemoryBytes: number;
  readonly minorFaults: number;
  readonly majorFaults: number;
  readonly ioWaitMs: number | null;
  readonly ioWaitPercent: number | null;
  readonly readBytes: number;
  readonly writtenBytes: number;
  readonly voluntarySwitches: number;
  readonly involuntarySwitches: number;
}

interface View {
  readonly target: string;
  readonly status: number;
  readonly outcome: string;
  readonly durationMs: number;
  readonly server: { readonly pid: number; readonly name: string };
  readonly thread: { readonly tid: number; readonly name: string };
  readonly usage: UsageView | null;
  readonly threadUsage: UsageView | null;
  readonly notes: readonly { readonly code: string }[];
}

const USAGE = `window { from to } cpuTimeMs userMs systemMs averageCpuLoadPercent memoryBytes peakMemoryBytes minorFaults
  majorFaults ioWaitMs ioWaitPercent readBytes writtenBytes voluntarySwitches involuntarySwitches`;
const FIELDS = `target status outcome durationMs server { pid name } thread { tid name } usage { ${USAGE} }
  threadUsage { ${USAGE} } notes { code }`;

describe('what requests cost', { skip }, () => {
  const file = join(temporaryDirectory(), 'cold');
  let agent: Agent;
  let server: MeasuredServer;
  let connection: RawClient;

  before(async () => {
    agent = await Agent.start();
    // Only of processes younger than that does the kernel account delays.
    server = await MeasuredServer.start({ file });
    connection = await server.connect();
    // What a program needs only once is there after this.
    for (const work of ['none', 'faults', 'memory', 'read', 'write', 'burn', 'age']) await serve(work, 1);
  });
  after(async () => {
    await connection.close();
    await server.stop();
    await agent.stop();
  });

  /** Has a request served; gives what it cost by the server's account. */
  async function serve(work: string, amount = 0): Promise<Cost> {
    const target = server.target(work, amount);
    await server.ask(connection, target);
    const cost = await server.cost();
    assert.equal(cost.target, target);
    return cost;
  }

  /** The exchange in which a cost arose, and what the API says that it cost. */
  function shown(cost: Cost): Promise<{ readonly exchange: View; readonly usage: UsageView }> {
    return eventually(async () => {
      const query = `query ($target: String) { exchanges(where: { target: { eq: $target }, live: false }) { nodes { ${FIELDS} } } }`;
      const { exchanges } = await agent.graphql<{ exchanges: { nodes: View[] } }>(query, { target: cost.target });
      const [exchange] = exchanges.nodes;
      assert.equal(exchanges.nodes.length, 1, cost.target);
      assert.ok(exchange?.usage, JSON.stringify(exchange));
      assert.deepEqual(exchange.notes, []);
      assert.deepEqual([exchange.status, exchange.outcome, exchange.server.pid], [200, 'ANSWERED', cost.pid]);
      return { exchange, usage: exchange.usage };
    });
  }

  test('CPU time, between requests that take none', async () => {
    const costs = [];
    for (const ms of [0, 200, 0, 20, 0]) costs.push(await serve(ms === 0 ? 'none' : 'burn', ms));
    for (const cost of costs) {
      const { exchange, usage } = await shown(cost);
      assertCpu(usage, cost.cpuNs, cost.target);
      near(usage.userMs + usage.systemMs, usage.cpuTimeMs, 0.001, 'user and system');
      const windowMs = Date.parse(usage.window.to) - Date.parse(usage.window.from);
      if (windowMs > 10) near(usage.averageCpuLoadPercent, (100 * usage.cpuTimeMs) / windowMs, 10, 'load');
      // It has one thread.
      assert.deepEqual([exchange.thread.tid, exchange.thread.name], [server.pid, 'serve']);
      near(exchange.threadUsage?.cpuTimeMs ?? NaN, usage.cpuTimeMs, 0.1, 'CPU of the thread');
    }
  });

  test('page faults, exactly', async () => {
    const costs = [await serve('none'), await serve('faults', PAGES), await serve('none')];
    for (const [i, cost] of costs.entries()) {
      const { usage, exchange } = await shown(cost);
      assert.equal(cost.minorFaults, i === 1 ? PAGES : 0, 'the server did what it was asked for');
      assert.deepEqual([usage.minorFaults, usage.majorFaults], [cost.minorFaults, cost.majorFaults], cost.target);
      assert.equal(exchange.threadUsage?.minorFaults, cost.minorFaults);
    }
  });

  test('the highest memory of the request that takes much, and of no other', async () => {
    const works = ['none', 'memory', 'none', 'burn', 'memory', 'none'];
    const costs = [];
    for (const work of works) costs.push(await serve(work, GROWN_MIB / (work === 'burn' ? 10 : 1)));
    for (const [i, cost] of costs.entries()) {
      const { usage } = await shown(cost);
      const grown = works[i] === 'memory' ? GROWN_MIB * MIB : 0;
      near(usage.peakMemoryBytes, cost.memoryBefore + grown, MIB, `highest memory of ${cost.target}`);
      near(usage.memoryBytes, cost.memoryAfter, MIB, `memory after ${cost.target}`);
    }
  });

  test('waiting for a cold file, and bytes of the disk', async () => {
    const costs = [];
    for (const work of ['none', 'read', 'write', 'none']) costs.push(await serve(work, FILE_MIB));
    for (const cost of costs) {
      const { usage } = await shown(cost);
      assert.deepEqual([usage.readBytes, usage.writtenBytes], [cost.readBytes, cost.writtenBytes], cost.target);
      const waitedMs = cost.ioWaitNs / MS;
      const shownMs = usage.ioWaitMs ?? NaN;
      if (!/read|write/.test(cost.target)) assert.equal(shownMs, 0);
      else {
        assert.equal(cost.readBytes + cost.writtenBytes, FILE_MIB * MIB);
        assert.ok(waitedMs > 1, `it waited ${waitedMs} ms`);
        near(shownMs, waitedMs, 0.05 * waitedMs, `wait of ${cost.target}`);
        assert.ok((usage.ioWaitPercent ?? 0) > 0 && (usage.ioWaitPercent ?? 0) <= 100);
      }
    }
  });

  test('nothing of what the process spent before', async () => {
    const works: readonly (readonly [work: string, amount: number])[] = [
      ['none', 0],
      ['burn', 20],
      ['faults', PAGES],
      ['read', 8],
    ];
    const serveAll = async (): Promise<Cost[]> => {
      const costs = [];
      for (const each of works) costs.push(await serve(...each));
      return costs;
    };
    const young = await serveAll();
    // Six seconds of CPU time, threads that are gone, memory and a file: of all of them nothing may show.
    const age = await serve('age', 3000);
    assert.ok(age.cpuNs >= 6000 * MS);
    const old = await serveAll();
    for (const [i, before] of young.entries()) {
      const after = old[i] as Cost;
      const [first, second] = [await shown(before), await shown(after)];
      // A thousandth of what was spent before would show.
      for (const [{ usage }, cost] of [
        [first, before],
        [second, after],
      ] as const)
        near(usage.cpuTimeMs, cost.cpuNs / MS, 6, `CPU time of ${cost.target}`);
      for (const amount of ['minorFaults', 'majorFaults', 'readBytes', 'writtenBytes'] as const)
        assert.equal(second.usage[amount], first.usage[amount], `${amount} of ${after.target}`);
      near(
        second.usage.peakMemoryBytes - after.memoryBefore,
        first.usage.peakMemoryBytes - before.memoryBefore,
        MIB,
        'memory',
      );
      near(second.usage.ioWaitMs ?? NaN, after.ioWaitNs / MS, Math.max(1, (0.05 * after.ioWaitNs) / MS), 'wait');
    }
    // Threads that are gone count where they ran.
    const { usage } = await shown(age);
    assertCpu(usage, age.cpuNs, age.target);
    assert.deepEqual([usage.minorFaults, usage.readBytes], [age.minorFaults, age.readBytes]);
  });
});

describe('requests that eight threads serve at once', { skip }, () => {
  const THREADS = 8;
  let agent: Agent;
  let server: MeasuredServer;

  before(async () => {
    agent = await Agent.start();
    server = await MeasuredServer.start({ threads: THREADS });
  });
  after(async () => {
    await server.stop();
    await agent.stop();
  });

  test('each has the thread that served it, and the CPU time of that thread', async () => {
    const connections = await Promise.all(Array.from({ length: THREADS }, () => server.connect()));
    const wanted = new Map<string, number>();
    const ask = async (connection: RawClient, at: number): Promise<void> => {
      for (let round = 0; round < 3; round++) {
        const ms = 10 + 15 * at;
        const target = server.target('burn', ms);
        wanted.set(target, ms);
        await server.ask(connection, target);
      }
    };
    await Promise.all(connections.map(ask));
    const costs = new Map<string, Cost>();
    while (costs.size < wanted.size) {
      const cost = await server.cost();
      costs.set(cost.target, cost);
    }
    assert.equal(new Set([...costs.values()].map(({ tid }) => tid)).size, THREADS);
    await eventually(async () => {
      const query = `query ($port: Int) { exchanges(where: { serverPort: { eq: $port }, live: false }) { nodes { ${FIELDS} } } }`;
      const { nodes } = (await agent.graphql<{ exchanges: { nodes: View[] } }>(query, { port: server.port })).exchanges;
      assert.deepEqual(nodes.map(({ target }) => target).sort(), [...wanted.keys()].sort());
      for (const { target, thread, usage, threadUsage, notes } of nodes) {
        const cost = costs.get(target) as Cost;
        assert.deepEqual(notes, []);
        assert.equal(thread.tid, cost.tid, target);
        assert.ok(usage && threadUsage);
        assertCpu(threadUsage, cost.threadCpuNs, `thread of ${target}`);
        assert.ok(threadUsage.cpuTimeMs >= (wanted.get(target) ?? NaN));
        // The process has what its other threads ran meanwhile, too: as much as the CPUs give. Its own readings cannot be
        // taken for that: between the kernel's and its own the others go on, for long when it has to wait for a CPU.
        const windowMs = Date.parse(usage.window.to) - Date.parse(usage.window.from);
        const most = (windowMs + 1) * availableParallelism() + 1;
        between(usage.cpuTimeMs, threadUsage.cpuTimeMs - 1, most, `process of ${target}`);
      }
    });
    for (const connection of connections) await connection.close();
  });
});

interface StoryView {
  readonly target: string;
  readonly durationMs: number;
  readonly server: { readonly pid: number; readonly user: { readonly name: string } };
  readonly usage: { readonly cpuTimeMs: number };
  readonly concurrentProcesses: readonly {
    readonly process: {
      readonly pid: number;
      readonly parent: { readonly pid: number } | null;
      readonly endTime: string | null;
      readonly usage: { readonly cpuTimeMs: number };
    };
    readonly usage: { readonly cpuTimeMs: number; readonly window: { readonly from: string; readonly to: string } };
  }[];
}

/** Exchanges over 200 ms, who served them, for whom, what it cost, and what ran meanwhile. */
const STORY = `query ($port: Int) {
  exchanges(where: { minDurationMs: 200, serverPort: { eq: $port } }, first: 10) {
    nodes {
      target durationMs server { pid user { name } } usage { cpuTimeMs }
      concurrentProcesses(first: 1000) { process { pid parent { pid } endTime usage { cpuTimeMs } } usage { cpuTimeMs window { from to } } }
    }
  }
}`;

describe('the story of a slow request, in one query', { skip }, () => {
  let agent: Agent;
  let server: MeasuredServer;
  let hog: Child;

  before(async () => {
    agent = await Agent.start();
    server = await MeasuredServer.start();
    hog = urgent('while :; do :; done');
  });
  after(async () => {
    hog.process.kill('SIGKILL');
    await hog.ended;
    await server.stop();
    await agent.stop();
  });

  const urgent = (script: string): Child => new Child('nice', ['-n', '-15', 'sh', '-c', script]);

  test('its process, user and usage, and who ran meanwhile: a hog before all others, and who lived for a moment', async () => {
    const connection = await server.connect();
    await server.ask(connection, server.target('burn', SLOW_MS));
    const answered = server.ask(connection, server.target('slow', SLOW_MS));
    const brief = urgent('i=0; while [ $i -lt 10000 ]; do i=$((i+1)); done');
    await brief.ended;
    await answered;
    await server.ask(connection, server.target('burn', SLOW_MS));
    await connection.close();
    await eventually(async () => {
      const { nodes } = (await agent.graphql<{ exchanges: { nodes: StoryView[] } }>(STORY, { port: server.port }))
        .exchanges;
      const slow = nodes.find(({ target }) => target.startsWith('/slow/'));
      assert.ok(slow, JSON.stringify(nodes));
      assert.ok(slow.durationMs >= 5 * SLOW_MS);
      assert.deepEqual([slow.server.pid, slow.server.user.name], [server.pid, 'root']);
      assert.ok(slow.usage.cpuTimeMs >= SLOW_MS);
      const ran = slow.concurrentProcesses;
      // Somebody else may keep the machine busy, too.
      const ours = ran.filter(({ process: { parent } }) => parent?.pid === process.pid);
      assert.equal(ours[0]?.process.pid, hog.pid, JSON.stringify(ran.slice(0, 5)));
      const spent = ran.map(({ usage }) => usage.cpuTimeMs);
      assert.deepEqual(
        spent,
        [...spent].sort((a, b) => b - a),
      );
      const short = ran.find(({ process: { pid } }) => pid === brief.pid);
      assert.ok(short, 'the one that lived for a moment');
      assert.notEqual(short.process.endTime, null);
      assert.equal(short.usage.cpuTimeMs, short.process.usage.cpuTimeMs, 'all of its life');
      // Together they cannot have had more than all CPUs; what is divided evenly may not have been spent so.
      const from = Math.min(...ran.map(({ usage }) => Date.parse(usage.window.from)));
      const to = Math.max(...ran.map(({ usage }) => Date.parse(usage.window.to)));
      const sum = spent.reduce((all, each) => all + each, 0);
      assert.ok(sum <= 1.2 * (to - from) * availableParallelism(), `${sum} ms of CPU time in ${to - from} ms`);
      assert.ok(to - from < slow.durationMs + 2);
    });
  });
});

function assertCpu({ cpuTimeMs }: UsageView, cpuNs: number, what: string): void {
  near(cpuTimeMs, cpuNs / MS, Math.max(1, (0.02 * cpuNs) / MS), `CPU time of ${what}`);
}

function near(actual: number, expected: number, tolerance: number, what: string): void {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${what}: ${actual}, not ${expected} within ${tolerance}`);
}

function between(actual: number, low: number, high: number, what: string): void {
  assert.ok(actual >= low && actual <= high, `${what}: ${actual}, not within ${low} and ${high}`);
}
