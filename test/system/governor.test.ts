/** The agent keeps within its budget: what it puts off then, what is known of that time, and that all comes back. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { Agent as HttpAgent, request } from 'node:http';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { temporaryDirectory } from '../temporary.js';
import {
  Agent,
  assertShown,
  Child,
  conversations,
  eventually,
  flowsOf,
  Generator,
  sentBy,
  skipWithoutBpf,
  withTraffic,
  type FlowView,
  type Report,
} from './harness/index.js';

const skip = await skipWithoutBpf('that the agent keeps within its budget');
const file = join(temporaryDirectory(), 'procflow.yaml');
const CHANGE_MS = 60_000;
const SHED = ['APPLICATION_TIER_SHED', 'MESSAGES_TIER_SHED'];

/** Answers each request but those of /never. */
const SERVER = `
const server = require('node:http').createServer((request, response) => request.url === '/never' || response.end('x'));
server.keepAliveTimeout = 300_000;
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
`;

interface Governor {
  readonly budgetPercent: number;
  readonly loadPercent: number | null;
  readonly calibration: string;
  readonly programs: readonly {
    readonly name: string;
    readonly runs: number;
    readonly runsPerSecond: number | null;
    readonly costNs: number | null;
    readonly loadPercent: number | null;
  }[];
  readonly shedSince: string | null;
  readonly shedSpans: readonly { readonly tier: string; readonly from: string; readonly to: string | null }[];
}

async function governorOf(agent: Agent): Promise<Governor> {
  return (await agent.rest<{ governor: Governor }>('/v1/status')).governor;
}

async function stateOf(agent: Agent, name: string): Promise<{ state: string; reason: string | null }> {
  const tier = (await agent.host()).tiers.find((each) => each.name === name);
  assert.ok(tier);
  return { state: tier.state, reason: tier.reason };
}

/** Connections, one after the other, as fast as they go, while `until` runs. */
async function flood(until: () => Promise<void>): Promise<void> {
  const generator = await Generator.start('churn', { connections: 5000 });
  const stop = new AbortController();
  const rounds = (async () => {
    await generator.report();
    while (!stop.signal.aborted) await generator.nextRound();
  })();
  try {
    await until();
  } finally {
    stop.abort();
    await rounds;
    await generator.finish();
  }
}

function notesOf(flow: FlowView): string[] {
  return flow.notes.map(({ code }) => code);
}

/** Of one core, and far below what the traffic takes; even the test's own questions may be more. */
const TIGHT_PERCENT = 0.01;

describe('a budget far below what the traffic costs', { skip }, () => {
  let agent: Agent;
  let server: Child;
  let port: number;
  let lasting: Generator;
  const keepAlive = new HttpAgent({ keepAlive: true, maxSockets: 1 });

  before(async () => {
    configure(90);
    agent = await Agent.start({ governed: true, flags: ['--config', file] });
    server = new Child(process.execPath, ['-e', SERVER]);
    port = Number((await server.lines().next()).value);
    lasting = await Generator.start('tcp_stream', { up: 300_017, down: 100_003 });
  });
  after(async () => {
    keepAlive.destroy();
    lasting.kill();
    server.process.kill('SIGKILL'); // it may be stopped
    await server.ended;
    await agent.stop();
  });

  function configure(budgetPercent: number): void {
    // Of the accepted connections of a process that is left out, only its own calls tell whose they are.
    const capture = '  pollIntervalMs: 250\n  filter: { drop: { processes: [threads] } }';
    writeFileSync(file, `governor:\n  budgetPercent: ${budgetPercent}\ncapture:\n${capture}\n`);
  }

  function ask(path: string, over = keepAlive): Promise<string> {
    return new Promise((resolve, reject) => {
      const asked = request({ port, host: '127.0.0.1', path, agent: over }, (response) => {
        response.resume().once('end', () => resolve('answered'));
      });
      asked.once('error', reject).end();
    });
  }

  interface ExchangeView {
    readonly outcome: string | null;
    readonly client: { readonly pid: number } | null;
    readonly server: { readonly pid: number } | null;
    readonly notes: readonly { readonly code: string }[];
    readonly flow: { readonly id: string };
  }

  async function exchangesOf(path: string): Promise<readonly ExchangeView[]> {
    const query = `query ($where: ExchangeFilter) { exchanges(where: $where) {
      nodes { outcome client { pid } server { pid } notes { code } flow { id } } } }`;
    const where = { serverPort: { eq: port }, target: { eq: path } };
    return (await agent.graphql<{ exchanges: { nodes: ExchangeView[] } }>(query, { where })).exchanges.nodes;
  }

  /** Each conversation as one flow with exactly the bytes that were moved, owned by who moved them. */
  async function assertTotals(generator: Generator, report: Report, ended: boolean): Promise<FlowView[]> {
    const shown: FlowView[] = [];
    for (const conversation of conversations(report)) {
      const { client, server: other } = conversation;
      shown.push(
        await eventually(async () => {
          const [flow, ...more] = await flowsOf(agent, conversation, generator.startedAt);
          assert.ok(flow && more.length === 0);
          assert.deepEqual(
            [flow.client.sent.payloadBytes, flow.server.sent.payloadBytes, flow.state === 'ENDED'],
            [sentBy(client), sentBy(other), ended],
          );
          return flow;
        }),
      );
    }
    return shown;
  }

  let never: Promise<string>;
  let whole: Report;

  test('packets are put off, then messages of TCP, and it is shown what, when and why', async () => {
    whole = await lasting.report();
    await assertShown(agent, lasting, whole);
    await ask('/before');
    await eventually(async () => assert.equal((await exchangesOf('/before')).length, 1));
    never = ask('/never', new HttpAgent());
    never.catch(() => undefined);
    await eventually(async () => assert.equal((await exchangesOf('/never')).length, 1));
    // Its client is seen to send it, its server is not seen to take it: one of them has had a request more.
    server.process.kill('SIGSTOP');
    const between = ask('/between');
    await eventually(async () => assert.equal((await exchangesOf('/between')).length, 1));

    configure(TIGHT_PERCENT);
    agent.signal('SIGHUP');
    await flood(() =>
      eventually(async () => {
        assert.equal((await stateOf(agent, 'packets')).state, 'SHED');
        assert.equal((await stateOf(agent, 'messages')).state, 'SHED');
      }, CHANGE_MS),
    );
    server.process.kill('SIGCONT');
    await between;
    const { state, reason } = await stateOf(agent, 'messages');
    assert.equal(state, 'SHED');
    assert.match(reason ?? '', /^the kernel programs took [\d.]+ % of a core, and governor.budgetPercent is 0.01 %$/);
    assert.equal((await agent.host()).source, 'ebpf');

    const governor = await governorOf(agent);
    assert.equal(governor.budgetPercent, TIGHT_PERCENT);
    const [packets, messages, ...more] = governor.shedSpans;
    assert.deepEqual([packets?.tier, packets?.to, messages?.tier, messages?.to], ['packets', null, 'messages', null]);
    assert.deepEqual(more, []);
    assert.ok(packets && messages && packets.from < messages.from);
    assert.equal(governor.shedSince, packets.from);
    const send = governor.programs.find(({ name }) => name === 'sock_send_length');
    assert.ok(send && send.runs > 1000 && (send.costNs ?? 0) > 5 && (send.costNs ?? 0) < 100_000, JSON.stringify(send));
    assert.equal(governor.calibration, 'MEASURED');

    const metrics = (await agent.get('/metrics')).text;
    assert.match(metrics, /^procflow_tier_shed\{tier="messages"\} 1$/m);
    assert.match(metrics, /^procflow_governor_budget_ratio 0\.0001$/m);
    assert.match(agent.log, /put off the packets tier: the kernel programs took/);
    assert.match(agent.log, /put off the messages tier, for TCP: the kernel programs took/);
  });

  test('flows that live then are exact in their totals, and say what is not known of them', async () => {
    const [flow] = await assertTotals(lasting, await lasting.nextRound(), false);
    assert.ok(flow);
    for (const note of SHED.slice(1)) assert.ok(notesOf(flow).includes(note), note);
    assert.deepEqual([flow.client.sent.messages, flow.server.sent.messages], [null, null]);
  });

  test('flows that open then have their owners, and no shares that nobody has seen', async (t) => {
    await withTraffic(t, ['prefork'], async (generator, report) => {
      const owners = report.sockets.map(({ side, pid }) => `${side} ${pid}`).sort();
      const open = await assertTotals(generator, report, false);
      for (const flow of open) for (const note of SHED) assert.ok(notesOf(flow).includes(note), note);
      const more = await generator.nextRound();
      await generator.finish();
      const ended = await assertTotals(generator, more, true);
      const shown = ended.flatMap((flow) => [
        `client ${flow.client.process?.pid ?? '?'}`,
        `server ${flow.server.process?.pid ?? '?'}`,
      ]);
      assert.deepEqual(shown.sort(), owners);
      for (const { client, server: other } of ended) assert.deepEqual([client.processes, other.processes], [[], []]);
    });
  });

  test('what is not TCP is counted as ever', async (t) => {
    await withTraffic(t, ['udp'], async (generator, report) => {
      const flows = await assertShown(agent, generator, report);
      for (const flow of flows) assert.ok(!notesOf(flow).includes('MESSAGES_TIER_SHED'));
      await generator.finish();
    });
  });

  test('what the filter leaves out by its process stays out', async (t) => {
    await withTraffic(t, ['threads'], async (generator, report) => {
      await withTraffic(t, ['prefork'], async (others, shown) => {
        await assertTotals(others, shown, false);
        for (const conversation of conversations(report))
          assert.deepEqual(await flowsOf(agent, conversation, generator.startedAt), []);
        await others.finish();
      });
      await generator.finish();
    });
  });

  test('exchanges under way end unknown, with the reason, and none is followed', async () => {
    const [cut] = await exchangesOf('/never');
    assert.equal(cut?.outcome, 'UNKNOWN');
    assert.ok(cut.notes.some(({ code }) => code === 'MESSAGES_TIER_SHED'));
    await ask('/meanwhile');
    await withFlowOf('/meanwhile');
  });

  /** Waits for what the kernel counted of the connection after the request: had it been followed, it would be there. */
  async function withFlowOf(path: string): Promise<void> {
    const [earlier] = await exchangesOf('/before');
    assert.ok(earlier);
    const query = 'query ($id: ID!) { flow(id: $id) { client { sent { payloadBytes } } } }';
    const sent = async (): Promise<number> =>
      (await agent.graphql<{ flow: { client: { sent: { payloadBytes: number } } } }>(query, { id: earlier.flow.id }))
        .flow.client.sent.payloadBytes;
    const before = await sent();
    await ask(path);
    await eventually(async () => assert.ok((await sent()) > before));
    assert.deepEqual(await exchangesOf(path), []);
  }

  test('with a budget that has room all comes back, the last first', async () => {
    configure(90);
    agent.signal('SIGHUP');
    await eventually(async () => {
      assert.equal((await stateOf(agent, 'messages')).state, 'ON');
      assert.equal((await stateOf(agent, 'packets')).state, 'ON');
    }, CHANGE_MS);
    const { budgetPercent, shedSpans, shedSince } = await governorOf(agent);
    assert.equal(budgetPercent, 90);
    assert.equal(shedSince, null);
    const [packets, messages] = shedSpans;
    assert.ok(packets?.to && messages?.to && messages.to < packets.to, JSON.stringify(shedSpans));
    assert.match(agent.log, /the messages tier, for TCP: runs again/);
  });

  test('the next request of a connection from before is found, at both ends', async () => {
    await ask('/after');
    const exchange = await eventually(async () => {
      const [found, ...more] = await exchangesOf('/after');
      assert.ok(found && more.length === 0);
      assert.equal(found.outcome, 'ANSWERED');
      return found;
    });
    assert.deepEqual([exchange.client?.pid, exchange.server?.pid], [process.pid, server.process.pid]);
    assert.ok(!exchange.notes.some(({ code }) => code === 'EVENTS_LOST'), 'its place on the connection is certain');
    const [earlier] = await exchangesOf('/before');
    assert.equal(exchange.flow.id, earlier?.flow.id, 'on the same connection');
  });

  test('flows are whole again, and those from before still say what they lack', async (t) => {
    await withTraffic(t, ['prefork'], async (generator, report) => {
      const flows = await assertShown(agent, generator, report);
      for (const flow of flows) assert.ok(!SHED.some((note) => notesOf(flow).includes(note)));
      await generator.finish();
    });
    const report = await lasting.nextRound();
    await lasting.finish();
    const [flow] = await assertTotals(lasting, report, true);
    assert.ok(flow && notesOf(flow).includes('MESSAGES_TIER_SHED'));
  });
});

describe('no budget', { skip }, () => {
  test('whatever it costs, nothing is put off', async () => {
    const agent = await Agent.start();
    try {
      await flood(() =>
        eventually(async () => {
          const { loadPercent, programs } = await governorOf(agent);
          assert.ok((loadPercent ?? 0) > 1, `${loadPercent ?? 'null'} % of a core`);
          // Longer than it takes to put off something.
          assert.ok((programs.find(({ name }) => name === 'sock_release')?.runs ?? 0) > 60_000);
        }, CHANGE_MS),
      );
      const { budgetPercent, shedSpans } = await governorOf(agent);
      assert.deepEqual([budgetPercent, shedSpans], [0, []]);
      for (const name of ['packets', 'messages']) assert.equal((await stateOf(agent, name)).state, 'ON');
    } finally {
      await agent.stop();
    }
  });
});
