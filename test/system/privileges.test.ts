/** What the running agent may do: no more than it needs, and with that it does all that it did before. */
import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { temporaryDirectory } from '../temporary.js';
import {
  across,
  Agent,
  assertShown,
  conversations,
  copyBuild,
  DEADLINE_MS,
  eventually,
  flowsOf,
  makeNamespacePair,
  skipWithoutBpf,
  withTraffic,
  type NamespacePair,
} from './harness/index.js';

const skip = await skipWithoutBpf('what the agent may do once it runs');
const USER = 65534;

const directory = temporaryDirectory();
chmodSync(directory, 0o755);
let builtFor: string | undefined;

/** An agent of another user, with the capabilities named and no others. */
function startAsUser(name: string, capabilities: readonly string[], flags: readonly string[]): Promise<Agent> {
  const home = join(directory, name);
  mkdirSync(home);
  chownSync(home, USER, USER);
  const list = capabilities.map((capability) => `+${capability}`).join(',');
  const prefix = ['setpriv', `--reuid=${USER}`, `--regid=${USER}`, '--clear-groups', `--inh-caps=${list}`];
  builtFor ??= copyBuild(directory);
  return Agent.start({ prefix: [...prefix, `--ambient-caps=${list}`], main: builtFor, directory: home, flags });
}

const LOADING = ['bpf', 'perfmon', 'net_admin'];
const READING = ['sys_ptrace', 'dac_read_search'];

/** Bits of CapEff: CAP_DAC_READ_SEARCH 2, CAP_NET_ADMIN 12, CAP_SYS_PTRACE 19, CAP_SYS_ADMIN 21. */
const [DAC_READ_SEARCH, NET_ADMIN, SYS_PTRACE, SYS_ADMIN] = [1n << 2n, 1n << 12n, 1n << 19n, 1n << 21n];
const NAMES: readonly (readonly [bigint, string])[] = [
  [DAC_READ_SEARCH, 'CAP_DAC_READ_SEARCH'],
  [NET_ADMIN, 'CAP_NET_ADMIN'],
  [SYS_PTRACE, 'CAP_SYS_PTRACE'],
  [SYS_ADMIN, 'CAP_SYS_ADMIN'],
];

const AGENTS: readonly {
  readonly who: string;
  readonly start: (flags: readonly string[]) => Promise<Agent>;
  readonly capture: bigint;
  readonly others: bigint;
}[] = [
  {
    who: 'root',
    start: (flags) => Agent.start({ flags }),
    capture: DAC_READ_SEARCH | SYS_PTRACE | SYS_ADMIN,
    others: DAC_READ_SEARCH,
  },
  {
    who: 'a user with capabilities',
    start: (flags) => startAsUser('all', [...LOADING, ...READING, 'sys_admin'], flags),
    capture: DAC_READ_SEARCH | SYS_PTRACE | SYS_ADMIN,
    others: 0n,
  },
  {
    who: 'a user with all of them but CAP_SYS_ADMIN',
    start: (flags) => startAsUser('limited', [...LOADING, ...READING], flags),
    // One of the two it takes to switch the packets tier on again.
    capture: DAC_READ_SEARCH | NET_ADMIN | SYS_PTRACE,
    others: 0n,
  },
];

for (const { who, start, capture, others } of AGENTS) {
  describe(`privileges of ${who}`, { skip }, () => {
    const file = join(directory, `${who}.yaml`);
    let agent: Agent;
    let pair: NamespacePair;

    before(async () => {
      writeFileSync(file, 'capture:\n  pollIntervalMs: 250\n');
      agent = await start(['--config', file]);
      // Later than the agent: nothing of it can have been opened before the privileges went.
      pair = await makeNamespacePair();
    });
    after(async () => {
      await agent.stop();
      await pair.remove();
    });

    test('all tiers run', async () => {
      const { source, tiers } = await agent.host();
      assert.equal(source, 'ebpf');
      assert.ok(tiers.every(({ state }) => state === 'ON'));
    });

    test('status tells what the agent still may do', async () => {
      const { agentCapabilities } = await agent.rest<{ agentCapabilities: object }>('/v1/status');
      assert.deepEqual(agentCapabilities, { capture: namesOf(capture), others: namesOf(others) });
    });

    test('costs of the kernel programs are measured if that is allowed, and assumed otherwise', async () => {
      await eventually(async () => {
        const { governor } = await agent.rest<{
          governor: { calibration: string; calibrationReason: string | null; loadPercent: number | null };
        }>('/v1/status');
        const { calibration, calibrationReason, loadPercent } = governor;
        assert.notEqual(loadPercent, null);
        if ((capture & SYS_ADMIN) !== 0n) assert.deepEqual([calibration, calibrationReason], ['MEASURED', null]);
        else {
          assert.equal(calibration, 'CONSTANT');
          assert.match(calibrationReason ?? '', /CAP_SYS_ADMIN/);
        }
      });
    });

    test('flows are exact, with both processes', async (t) => {
      for (const program of ['tcp_stream', 'udp', 'prefork']) {
        await withTraffic(t, [program], async (generator, report) => {
          await assertShown(agent, generator, report);
          await generator.finish();
        });
      }
    });

    test('processes of other users have their executable, and their user’s name', async (t) => {
      await withTraffic(t, ['user_change', { uid: 2 }], async (generator, report) => {
        const server = report.sockets.find(({ side }) => side === 'server');
        await eventually(async () => {
          const process = await processOf(agent, server?.pid);
          assert.match(process.executable ?? '', /\/user_change$/);
          assert.deepEqual(process.user, { uid: 2, name: 'bin' });
        });
        await generator.finish();
      });
      assert.equal((await processOf(agent, process.pid)).executable, process.execPath);
    });

    test('network namespaces that came later are followed', async (t) => {
      await withTraffic(t, ['tcp_stream', across(pair)], async (generator, report) => {
        const [flow] = await assertShown(agent, generator, report);
        assert.equal(flow?.direction, 'LOCAL');
        await generator.finish();
      });
      if ((capture & SYS_ADMIN) === 0n) return;
      // Its address is what that namespace's routes say.
      await withTraffic(t, ['udp', { ...across(pair), receive: 'small', low: 500 }], async (generator, report) => {
        await assertShown(agent, generator, report);
        await generator.finish();
      });
    });

    test('filters are read anew on SIGHUP, users by name included', async (t) => {
      const port = agent.port;
      writeFileSync(file, `capture:\n  pollIntervalMs: 250\n  filter: { drop: { users: [bin], ports: [${port}] } }\n`);
      agent.signal('SIGHUP');
      await eventually(() => assert.match(agent.log, /configuration read again/));
      const showOther = (): Promise<void> =>
        withTraffic(t, ['udp'], async (generator, report) => {
          await assertShown(agent, generator, report);
          await generator.finish();
        });
      // What is shown now was met by the filter: the thread that captures has it.
      await showOther();
      await withTraffic(t, ['udp', { 'as-uid': 2 }], async (dropped, without) => {
        // What came after it is there, so it would be.
        await showOther();
        for (const conversation of conversations(without)) {
          assert.deepEqual(await flowsOf(agent, conversation, dropped.startedAt), []);
        }
        await dropped.finish();
      });
    });

    // Last: by now every thread that the agent starts is there.
    test('each thread has the capabilities that it needs, and cannot get more', async () => {
      const { agentPid } = await agent.host();
      const threads = readdirSync(`/proc/${agentPid}/task`).map((id) => threadOf(agentPid, id));
      assert.equal(threads.filter(({ name }) => name === 'capture').length, 1);
      assert.ok(threads.length > 5, `${threads.length} threads`);
      for (const { name, sets, noNewPrivileges } of threads) {
        const kept = name === 'capture' ? capture : others;
        assert.deepEqual(
          [sets.CapEff, sets.CapPrm, sets.CapInh, sets.CapAmb, noNewPrivileges],
          [kept, kept, 0n, 0n, true],
          name,
        );
        // Only who may set capabilities can lower the bound.
        if (who === 'root') assert.equal(sets.CapBnd, kept, name);
      }
    });
  });
}

describe('the procfs source of a user with capabilities', { skip }, () => {
  test('sees every process', async (t) => {
    const flags = ['--source', 'procfs', '--capture-poll-interval-ms', '200'];
    const agent = await startAsUser('procfs', [...READING, 'sys_admin'], flags);
    await withTraffic(t, ['prefork'], async (generator, report) => {
      const client = report.sockets.find(({ side }) => side === 'client');
      await eventually(async () => {
        const [flow] = await agent.flows({
          clientPort: { eq: client?.localPort },
          serverPort: { eq: client?.remotePort },
        });
        assert.ok(flow);
        assert.equal(flow.client.process?.pid, client?.pid);
        assert.ok(flow.notes.every(({ code }) => code !== 'PROCESS_NOT_VISIBLE'));
        // Scans take a share of a CPU at most: where many processes live, the next one comes seconds later.
      }, 3 * DEADLINE_MS);
      await generator.finish();
    });
    await agent.stop();
  });
});

function namesOf(set: bigint): string[] {
  return NAMES.filter(([bit]) => (set & bit) !== 0n).map(([, name]) => name);
}

interface ShownProcess {
  readonly executable: string | null;
  readonly user: { readonly uid: number; readonly name: string };
}

async function processOf(agent: Agent, pid: number | undefined): Promise<ShownProcess> {
  const { processes } = await agent.graphql<{ processes: { nodes: ShownProcess[] } }>(
    'query ($pid: Int) { processes(where: { pid: { eq: $pid } }) { nodes { executable user { uid name } } } }',
    { pid },
  );
  const [shown] = processes.nodes;
  assert.ok(shown);
  return shown;
}

type SetName = 'CapEff' | 'CapPrm' | 'CapInh' | 'CapAmb' | 'CapBnd';

interface Thread {
  readonly name: string;
  readonly sets: Readonly<Record<SetName, bigint>>;
  readonly noNewPrivileges: boolean;
}

function threadOf(pid: number, id: string): Thread {
  const status = readFileSync(`/proc/${pid}/task/${id}/status`, 'utf8');
  const field = (name: string): string => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? '';
  const set = (name: SetName): bigint => BigInt(`0x${field(name)}`);
  return {
    name: field('Name'),
    sets: {
      CapEff: set('CapEff'),
      CapPrm: set('CapPrm'),
      CapInh: set('CapInh'),
      CapAmb: set('CapAmb'),
      CapBnd: set('CapBnd'),
    },
    noNewPrivileges: field('NoNewPrivs') === '1',
  };
}
