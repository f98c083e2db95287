/** What capture reads of processes at the edges of their flows, against what the kernel tells the processes themselves. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { USAGE_FLAG } from '../../src/capture/layout.js';
import { temporaryDirectory } from '../temporary.js';
import {
  Child,
  cpuError,
  eventually,
  skipWithoutBpf,
  spend,
  UsageRows,
  type Edges,
  type Options,
  type Spent,
} from './harness/index.js';

const skip = await skipWithoutBpf('what processes spend while their flows last');
const directory = temporaryDirectory();
const MS = 1e6;
const MIB = 1 << 20;
/** The kernel's own second process. */
const KTHREADD = 2;

const sides: Options[] = [{ side: 'client' }, { side: 'server' }];

describe('usage at the edges of flows', { skip }, () => {
  let rows: UsageRows;

  before(async () => {
    rows = new UsageRows();
    await rows.ready();
  });
  after(() => rows.stop());

  for (const side of sides) {
    test(`CPU time of one thread, ${side['side']}`, async () => {
      for (const spent of await spend({ ...side, works: 'burn,none,burn', ms: 200 }))
        assertCpu(await rows.edges(spent), spent);
    });

    for (const stay of ['', 'sleeping', 'running']) {
      const how = stay === '' ? 'gone' : stay;
      test(`CPU time of eight threads that are ${how} at the end, ${side['side']}`, async () => {
        for (const spent of await spend({ ...side, works: 'burn,burn', threads: 8, ms: 50, stay })) {
          const edges = await rows.edges(spent);
          assertCpu(edges, spent);
          assert.equal(edges.ended.threads, stay === '' ? 1 : 9);
        }
      });
    }

    test(`page faults, exactly, ${side['side']}`, async () => {
      // In the first flow the program's own pages come in.
      const [, ...flows] = await spend({ ...side, works: 'none,none,faults,none', pages: 1234 });
      for (const spent of flows) {
        const edges = await rows.edges(spent);
        assert.equal(difference(edges, 'minorFaults'), spent.minorFaults);
        assert.equal(difference(edges, 'majorFaults'), spent.majorFaults);
        if (spent.work === 'faults') assert.equal(spent.minorFaults, 1234);
      }
    });

    test(`the highest memory within the flow, and not within the ones before and after, ${side['side']}`, async () => {
      for (const spent of await spend({ ...side, works: 'none,memory,none,none,memory,none', mib: 200 })) {
        const { began, ended } = await rows.edges(spent);
        const grown = spent.work === 'memory' ? 200 * MIB : 0;
        near(began.memoryBytes, spent.memoryBefore, MIB, 'memory before');
        near(ended.memoryBytes, spent.memoryAfter, MIB, 'memory after');
        near(ended.peakMemoryBytes, spent.memoryBefore + grown, MIB, `peak of ${spent.work}`);
      }
    });

    test(`the highest memory within a long flow, past many that came and went, ${side['side']}`, async () => {
      const works = ['memory', ...Array<string>(100).fill('faults')].join(',');
      const flows = await spend({ ...side, works, mib: 200, pages: 2560, outer: 1 });
      for (const spent of flows) {
        const { ended } = await rows.edges(spent);
        const grown = spent.work === 'memory' ? 200 * MIB : 10 * MIB;
        near(ended.peakMemoryBytes, spent.memoryBefore + grown, MIB, `peak of ${spent.work}`);
      }
      assert.equal(flows.at(-1)?.work, 'outer');
    });

    test(`I/O wait and bytes of a cold file, ${side['side']}`, async () => {
      const file = join(directory, 'cold');
      for (const spent of await spend({ ...side, works: 'read,write,none', mib: 64, file })) {
        const edges = await rows.edges(spent);
        const bytes = 64 * MIB;
        assert.deepEqual(
          [difference(edges, 'readBytes'), difference(edges, 'writtenBytes')],
          [spent.readBytes, spent.writtenBytes],
        );
        assert.equal(spent.readBytes, spent.work === 'read' ? bytes : 0);
        near(difference(edges, 'ioWaitNs'), spent.ioWaitNs, Math.max(MS, 0.05 * spent.ioWaitNs), 'I/O wait');
        if (spent.work === 'read') assert.ok(spent.ioWaitNs > 0, 'it waited for the file');
        near(difference(edges, 'voluntarySwitches'), spent.voluntarySwitches, 3, 'voluntary switches');
      }
    });

    test(`I/O wait of threads that are gone, ${side['side']}`, async () => {
      const file = join(directory, 'cold');
      for (const spent of await spend({ ...side, works: 'read,none', mib: 32, threads: 4, file })) {
        const edges = await rows.edges(spent);
        near(difference(edges, 'ioWaitNs'), spent.ioWaitNs, Math.max(MS, 0.05 * spent.ioWaitNs), 'I/O wait');
        assert.equal(difference(edges, 'readBytes'), spent.readBytes);
      }
    });
  }

  for (const side of sides) {
    test(`a process whose connection another one closes, ${side['side']}`, async () => {
      await spend({ ...side, works: 'given', ms: 100 }, async ([spent]) => {
        assertCpu(await rows.edges(spent as Spent), spent as Spent);
      });
    });
  }

  for (const side of sides) {
    test(`a flow of one millisecond has its own CPU time, however much was spent before, ${side['side']}`, async () => {
      const works = ['burn', ...Array<string>(30).fill('short')].join(',');
      const [long, ...short] = await spend({ ...side, works, ms: 1500 });
      assertCpu(await rows.edges(long as Spent), long as Spent);
      const beyond = [];
      for (const spent of short) {
        const cpuNs = difference(await rows.edges(spent), 'cpuNs');
        near(cpuError(cpuNs, spent), 0, 0.5 * MS, `CPU time, beyond ${JSON.stringify(spent)}`);
        beyond.push(cpuNs - spent.cpuNs);
      }
      // To most no interrupt comes in between the kernel's reading and the process's own.
      near(beyond.sort((a, b) => a - b)[short.length / 2] ?? NaN, 0, 0.5 * MS, 'CPU time, median');
    });
  }

  test('the end of a process’s use is told before the end of the socket, and its beginning not before the socket', async () => {
    for (const side of sides) {
      await spend({ ...side, works: 'none,short,none,given' }, async (flows) => {
        for (const spent of flows) {
          const { began } = await rows.edges(spent);
          const cookie = await eventually(() => {
            const ended = rows.endOf(spent);
            assert.ok(ended !== undefined, 'the socket has ended');
            return ended;
          });
          assert.equal(cookie, began.cookie);
          const kinds = rows.told.filter((each) => each.cookie === cookie).map(({ kind }) => kind);
          assert.ok(kinds.length >= 3);
          assert.equal(kinds.indexOf('socket'), kinds.length - 1, kinds.join());
        }
      });
    }
  });
});

describe('samples of all processes', { skip }, () => {
  let rows: UsageRows;

  before(async () => {
    rows = new UsageRows('capture.sampleIntervalMs=200');
    await rows.ready();
  });
  after(() => rows.stop());

  test('come at each tick, of processes with and without sockets, and of kernel threads', async () => {
    await eventually(() => {
      for (const pid of [KTHREADD, process.ppid, process.pid]) {
        const samples = rows.samples.get(pid) ?? [];
        assert.ok(samples.length > 3, `${samples.length} samples of process ${pid}`);
        for (const [at, { timeNs, cpuNs, flags }] of samples.entries()) {
          const previous = samples[at - 1];
          if (previous !== undefined) assert.ok(timeNs > previous.timeNs && cpuNs >= previous.cpuNs);
          assert.equal((flags & USAGE_FLAG.memory) !== 0, pid !== KTHREADD, 'a kernel thread has no memory');
        }
      }
      // Longer for a while when others have delayed a sample.
      assert.equal(rows.status().sampleIntervalMs, 200);
    });
  });

  test('agree with the process that they are of', async () => {
    await spend({ works: 'memory,burn,none', mib: 50, ms: 300 }, async ([memory, burn]) => {
      await eventually(() => {
        const samples = rows.samples.get(burn?.pid ?? 0) ?? [];
        const last = samples.at(-1);
        assert.ok(last !== undefined && memory !== undefined && burn !== undefined);
        assert.ok(last.cpuNs >= memory.cpuNs + burn.cpuNs, 'its CPU time is in the last one');
        near(last.memoryBytes, burn.memoryAfter, MIB, 'memory');
        const highest = Math.max(...samples.map(({ peakMemoryBytes }) => peakMemoryBytes));
        near(highest, memory.memoryBefore + 50 * MIB, MIB, 'the highest memory of the intervals');
        near(last.peakMemoryBytes, last.memoryBytes, MIB, 'an interval in which it does nothing');
      });
    });
  });

  test('the last one is at the exit, however short the life', async () => {
    const child = new Child('/bin/sh', ['-c', 'i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done']);
    const { pid } = child;
    await child.ended;
    const last = await eventually(() => {
      const sample = rows.samples.get(pid)?.at(-1);
      assert.ok(sample !== undefined);
      assert.equal(rows.exits.get(pid), sample.timeNs, 'a sample at the exit');
      return sample;
    });
    assert.ok(last.cpuNs > MS && last.minorFaults > 0 && last.peakMemoryBytes >= last.memoryBytes);
  });
});

async function withRows(settings: string[], body: (rows: UsageRows) => Promise<void> | void): Promise<void> {
  const rows = new UsageRows(...settings);
  try {
    await rows.ready();
    // The first rows may come before the first status.
    await eventually(() => assert.notEqual(rows.status().pollIntervalMs, null));
    await body(rows);
  } finally {
    await rows.stop();
  }
}

describe('the resources tier', { skip }, () => {
  const delayAccounting = () => readFileSync('/proc/sys/kernel/task_delayacct', 'latin1').trim();

  test('is told of at the start, with the other ones', async () => {
    await withRows([], (rows) => {
      assert.deepEqual(rows.tiers, [
        { name: 'lifecycle', on: true, reason: null },
        { name: 'messages', on: true, reason: null },
        { name: 'packets', on: true, reason: null },
        { name: 'resources', on: true, reason: null },
      ]);
    });
  });

  test('switches delay accounting on until the end, of the last who wants it', async () => {
    // Another agent on this machine may do the same meanwhile.
    await eventually(async () => {
      const was = delayAccounting();
      await withRows([], async (rows) => {
        await withRows([], (others) => {
          assert.equal(delayAccounting(), '1');
          assert.equal(others.status().delayAccounting, rows.status().delayAccounting);
          if (was === '0') assert.equal(rows.status().delayAccounting, 'SWITCHED_ON');
        });
        assert.equal(delayAccounting(), '1');
      });
      // Whoever stops first leaves it to the other.
      const first = new UsageRows();
      await first.ready();
      await withRows([], async () => {
        await first.stop();
        assert.equal(delayAccounting(), '1');
      });
      assert.equal(delayAccounting(), was);
    });
  });

  test('is off when it is switched off, and nobody is read', async () => {
    await withRows(['capture.resources=false'], async (rows) => {
      const [spent] = await spend({ works: 'none' });
      await eventually(() => assert.ok(rows.endOf(spent as Spent) !== undefined, 'the socket has ended'));
      const tier = rows.status().tiers.find(({ name }) => name === 'resources');
      assert.deepEqual(tier, { name: 'resources', state: 'OFF', reason: 'switched off by capture.resources' });
      assert.equal(rows.samples.size, 0);
      assert.ok(rows.told.every(({ kind }) => kind === 'socket'));
    });
  });

  test('says what is missing', async () => {
    await withRows(['capture.peakMemory=false', 'capture.delayAccounting=false'], async (rows) => {
      const tier = rows.status().tiers.find(({ name }) => name === 'resources');
      assert.equal(tier?.state, 'ON');
      // The second part only where nobody else has switched it on.
      assert.match(
        tier.reason ?? '',
        /^peak memory: switched off by capture.peakMemory(; I\/O wait: kernel.task_delayacct is 0, and capture.delayAccounting forbids to change it)?$/,
      );
      const [spent] = await spend({ works: 'memory', mib: 10 });
      const { ended } = await rows.edges(spent as Spent);
      assert.equal(ended.flags & USAGE_FLAG.peak, 0, 'the peak is unknown');
    });
  });
});

function difference({ began, ended }: Edges, name: keyof Edges['began']): number {
  return ended[name] - began[name];
}

function assertCpu(edges: Edges, spent: Spent): void {
  const error = cpuError(difference(edges, 'cpuNs'), spent);
  near(error, 0, Math.max(MS, 0.02 * spent.cpuNs), `CPU time of ${spent.work}, beyond ${JSON.stringify(spent)}`);
  const modes = difference(edges, 'userNs') + difference(edges, 'systemNs');
  near(modes, difference(edges, 'cpuNs'), 1000, 'user and system time together');
}

function near(actual: number, expected: number, tolerance: number, what: string): void {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${what}: ${actual}, not ${expected} ± ${tolerance}`);
}
