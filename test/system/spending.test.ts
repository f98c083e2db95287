/** What processes spend, as the API shows it: in the windows of flows, since their start, lately, and over time. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { temporaryDirectory } from '../temporary.js';
import { Agent, Child, cpuError, eventually, run, skipWithoutBpf, spend, type Spent } from './harness/index.js';

const skip = await skipWithoutBpf('what processes spend, as the API shows it');
const MS = 1e6;
const MIB = 1 << 20;
const PAGES = 777;
const FILE_MIB = 48;
const directory = temporaryDirectory();
/** Nobody else on the machine has this uid. */
const LONELY_UID = 54_321;

interface UsageView {
  readonly window: { readonly from: string; readonly to: string };
  readonly cpuTimeMs: number;
  readonly userMs: number;
  readonly systemMs: number;
  readonly averageCpuLoadPercent: number;
  readonly memoryBytes: number | null;
  readonly peakMemoryBytes: number | null;
  readonly minorFaults: number;
  readonly majorFaults: number;
  readonly ioWaitMs: number | null;
  readonly readBytes: number;
  readonly writtenBytes: number;
  readonly voluntarySwitches: number;
  readonly involuntarySwitches: number;
}

interface ProcessView {
  readonly id: string;
  readonly pid: number;
  readonly usage: UsageView | null;
  readonly currentUsage: UsageView | null;
  readonly network: { readonly sentOctets: number; readonly receivedOctets: number; readonly connections: number };
}

interface EndView {
  readonly port: number;
  readonly process: ProcessView | null;
  readonly usage: UsageView | null;
  readonly sent: { readonly octets: number };
  readonly processes: readonly { readonly usage: UsageView | null }[];
}

interface FlowView {
  readonly state: string;
  readonly client: EndView;
  readonly server: EndView;
  readonly notes: readonly { readonly code: string }[];
}

/** A program that counts until it is killed. */
const busy = (): Child => new Child('/bin/sh', ['-c', 'while :; do :; done']);

describe('what processes spend', { skip }, () => {
  let agent: Agent;

  before(async () => {
    agent = await Agent.start();
  });
  after(() => agent.stop());

  const processesOf = async (search: string): Promise<ProcessView[]> =>
    (await agent.rest<{ processes: ProcessView[] }>(`/v1/processes?${search}`)).processes;

  async function flowOf(spent: Spent): Promise<FlowView> {
    const { flows } = await agent.rest<{ flows: FlowView[] }>(`/v1/flows?port=${spent.localPort}&pid=${spent.pid}`);
    const flow = flows.find(({ client, server }) => {
      return [client, server].every(({ port }) => port === spent.localPort || port === spent.remotePort);
    });
    assert.ok(flow, `no flow of ${JSON.stringify(spent)}`);
    assert.equal(flow.state, 'ENDED');
    return flow;
  }

  for (const side of ['client', 'server'] as const) {
    test(`in the window of a flow: CPU, faults and the highest memory, ${side}`, async () => {
      const works = 'none,burn,none,memory,none,faults';
      const told = await spend({ side, works, ms: 150, mib: 100, pages: PAGES });
      for (const spent of told) {
        await eventually(async () => {
          const flow = await flowOf(spent);
          const end = flow[side];
          const { usage } = end;
          assert.ok(usage, JSON.stringify(flow.notes));
          near(cpuError(usage.cpuTimeMs * MS, spent), 0, Math.max(MS, 0.02 * spent.cpuNs), `CPU of ${spent.work}`);
          near(usage.userMs + usage.systemMs, usage.cpuTimeMs, 0.001, 'user and system');
          const grown = { memory: 100 * MIB, faults: PAGES * 4096 }[spent.work] ?? 0;
          near(usage.peakMemoryBytes ?? NaN, spent.memoryBefore + grown, MIB, `peak of ${spent.work}`);
          if (spent !== told[0]) assert.equal(usage.minorFaults, spent.minorFaults, `faults of ${spent.work}`);
          assert.deepEqual(end.processes[0]?.usage, usage);
          assert.deepEqual(
            flow.notes.map(({ code }) => code).filter((code) => /USAGE|RESOURCES|PEAK/.test(code)),
            [],
          );
        });
      }
    });
  }

  for (const side of ['client', 'server'] as const) {
    test(`in the window of a flow: waiting for a cold file, and bytes of the disk, ${side}`, async () => {
      const told = await spend({ side, works: 'read,none,write', mib: FILE_MIB, file: join(directory, 'cold') });
      for (const spent of told) {
        await eventually(async () => {
          const { usage } = (await flowOf(spent))[side];
          assert.ok(usage);
          assert.deepEqual([usage.readBytes, usage.writtenBytes], [spent.readBytes, spent.writtenBytes], spent.work);
          const waitedMs = spent.ioWaitNs / MS;
          near(usage.ioWaitMs ?? NaN, waitedMs, 0.05 * waitedMs, `wait of ${spent.work}`);
        });
        assert.equal(spent.readBytes, spent.work === 'read' ? FILE_MIB * MIB : 0);
        assert.equal(spent.writtenBytes, spent.work === 'write' ? FILE_MIB * MIB : 0);
        assert.equal(spent.ioWaitNs > 0, spent.work !== 'none');
      }
    });
  }

  test('processes in the order of their CPU, as the kernel has it, and their series add up to it', async () => {
    const children = [busy(), new Child('/bin/sleep', ['1000'])];
    const [counting, sleeping] = children;
    assert.ok(counting && sleeping);
    const mine = `parentPid=${process.pid}&pid=${counting.pid},${sleeping.pid}`;
    // A good while, so that several steps are whole.
    const [first] = await eventually(async () => {
      const list = await processesOf(`${mine}&orderBy=cpuLoad`);
      assert.equal(list.length, 2);
      const [most, least] = list;
      assert.equal(most?.pid, counting.pid);
      assert.ok((most.currentUsage?.averageCpuLoadPercent ?? 0) > 1, JSON.stringify(most.currentUsage));
      assert.equal(least?.currentUsage?.averageCpuLoadPercent, 0);
      assert.ok((most.usage?.cpuTimeMs ?? 0) > 1000, JSON.stringify(most.usage));
      return list;
    });
    assert.ok(first);
    counting.process.kill('SIGSTOP');
    // It does not run any more: sample and kernel must say the same, whenever they are read.
    const { usage } = await eventually(async () => {
      const [stopped] = await processesOf(`${mine}&orderBy=cpuTime`);
      assert.ok(stopped?.usage);
      assert.equal(stopped.pid, counting.pid);
      assert.equal(stopped.currentUsage?.cpuTimeMs, 0, JSON.stringify(stopped));
      near(stopped.usage.cpuTimeMs, runtimeMs(counting.pid), 0.1, 'CPU time');
      return stopped;
    });
    assert.ok(usage);
    const stat = statOf(counting.pid);
    assert.equal(usage.minorFaults, stat.minorFaults);
    assert.equal(usage.majorFaults, stat.majorFaults);
    // The kernel shows it without what each CPU still has to add.
    near(usage.memoryBytes ?? NaN, stat.residentPages * 4096, MIB, 'memory');
    const switches = switchesOf(counting.pid);
    assert.deepEqual([usage.voluntarySwitches, usage.involuntarySwitches], switches);

    // From before its start to after its stop: all of what it spent is in the steps.
    await eventually(async () => {
      const path = `/v1/processes/${first.id}/series?fields=from,to,stepMs,values.cpuLoadPercent,values.minorFaults`;
      const series = await agent.rest<{ to: string; stepMs: number; values: Record<string, (number | null)[]> }>(path);
      assert.ok(Date.parse(series.to) > Date.parse(usage.window.to), 'the last step is past the stop');
      const sum = (values: readonly (number | null)[] = []): number =>
        values.reduce<number>((all, value) => all + (value ?? 0), 0);
      near((sum(series.values['cpuLoadPercent']) / 100) * series.stepMs, usage.cpuTimeMs, 1, 'CPU of all steps');
      assert.equal(sum(series.values['minorFaults']), usage.minorFaults);
    });
    const [host] = (
      await agent.rest<{ series: { values: { cpuLoadPercent: (number | null)[] } }[] }>('/v1/series?from=-5s')
    ).series;
    assert.ok(host?.values.cpuLoadPercent.every((load) => load === null || (load > 0 && load < 150 * cpus())));
    for (const child of children) {
      child.process.kill('SIGKILL');
      await child.ended;
    }
  });

  test('processes that live shorter than an interval count for their user, and are remembered with what they spent', async () => {
    const script = 'i=0; while [ $i -lt 100 ]; do /bin/true; i=$((i+1)); done';
    await run('setpriv', `--reuid=${LONELY_UID}`, '--clear-groups', '/bin/sh', '-c', script);
    await eventually(async () => {
      const query = `{ user(uid: ${LONELY_UID}) { usage { cpuTimeMs minorFaults involuntarySwitches }
        processes(first: 1000) { totalCount nodes { name endTime usage { cpuTimeMs minorFaults } } } } }`;
      const { user } = await agent.graphql<{ user: UserView | null }>(query);
      assert.ok(user?.usage);
      const { totalCount, nodes } = user.processes;
      assert.equal(totalCount, 101);
      assert.ok(nodes.every(({ endTime }) => endTime !== null));
      // The shell was root's before it changed its user; what was read of it then counts there.
      const bounds = (field: 'cpuTimeMs' | 'minorFaults'): [number, number] => {
        const sum = (all: typeof nodes): number => all.reduce((total, { usage }) => total + (usage?.[field] ?? NaN), 0);
        return [sum(nodes.filter(({ name }) => name === 'true')), sum(nodes)];
      };
      between(user.usage.cpuTimeMs, bounds('cpuTimeMs'), 'CPU of the user');
      between(user.usage.minorFaults, bounds('minorFaults'), 'faults of the user');
      assert.ok(user.usage.cpuTimeMs > 10, JSON.stringify(user.usage));
    });
  });

  test('what a process moves over the network is what its flows say', async () => {
    const [spent] = await spend({ side: 'client', works: 'none' });
    assert.ok(spent);
    await eventually(async () => {
      const flow = await flowOf(spent);
      const [shown] = await processesOf(`pid=${spent.pid}`);
      assert.equal(shown?.network.sentOctets, flow.client.sent.octets);
      assert.equal(shown.network.receivedOctets, flow.server.sent.octets);
      assert.equal(shown.network.connections, 0);
    });
  });

  test('samples come as they are made', async () => {
    const child = busy();
    const stream = await agent.stream(
      `/v1/samples/stream?pid=${child.pid}&fields=process.pid,usage.cpuTimeMs,usage.window`,
      {
        accept: 'application/x-ndjson',
      },
    );
    let text = '';
    for await (const chunk of stream.setEncoding('utf8')) {
      text += String(chunk);
      if (text.split('\n').length > 3) break;
    }
    const samples = text
      .split('\n')
      .slice(0, 3)
      .map((line) => (JSON.parse(line) as { sample: { process: { pid: number }; usage: UsageView } }).sample);
    let last: string | null = null;
    for (const { process: of, usage } of samples) {
      assert.equal(of.pid, child.pid);
      assert.ok(usage.cpuTimeMs > 0);
      if (last !== null) assert.equal(usage.window.from, last, 'one begins where the other ended');
      last = usage.window.to;
    }
    child.process.kill('SIGKILL');
    await child.ended;
  });
});

interface UserView {
  readonly usage: UsageView | null;
  readonly processes: {
    readonly totalCount: number;
    readonly nodes: readonly {
      readonly name: string;
      readonly endTime: string | null;
      readonly usage: UsageView | null;
    }[];
  };
}

function near(actual: number, expected: number, tolerance: number, what: string): void {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${what}: ${actual}, not ${expected} within ${tolerance}`);
}

function between(actual: number, [low, high]: readonly [number, number], what: string): void {
  assert.ok(actual >= low - 0.001 && actual <= high + 0.001, `${what}: ${actual}, not within ${low} and ${high}`);
}

function cpus(): number {
  return readFileSync('/proc/stat', 'latin1').match(/^cpu\d/gm)?.length ?? 1;
}

/** CPU time of a process of one thread, by the scheduler. */
function runtimeMs(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/schedstat`, 'latin1').split(' ')[0]) / MS;
}

function statOf(pid: number): { minorFaults: number; majorFaults: number; residentPages: number } {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  return { minorFaults: fields[7] ?? NaN, majorFaults: fields[9] ?? NaN, residentPages: fields[21] ?? NaN };
}

function switchesOf(pid: number): [voluntary: number, involuntary: number] {
  const text = readFileSync(`/proc/${pid}/status`, 'latin1');
  const of = (name: string): number => Number(new RegExp(`^${name}_ctxt_switches:\\s+(\\d+)`, 'm').exec(text)?.[1]);
  return [of('voluntary'), of('nonvoluntary')];
}
