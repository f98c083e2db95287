/** Sockets and processes that are older than the agent. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  across,
  Agent,
  assertShown,
  eventually,
  Generator,
  makeNamespacePair,
  skipWithoutBpf,
  type FlowView,
  type NamespacePair,
  type Report,
} from './harness/index.js';

const skip = await skipWithoutBpf('sockets and processes from before the start, found by the kernel’s iterators');

describe('before the start', { skip }, () => {
  const scenarios: [what: string, program: string, options?: Record<string, string>][] = [
    ['TCP over IPv4', 'tcp_stream'],
    ['TCP over IPv6', 'tcp_stream', { family: 'v6' }],
    ['TCP of a forked worker', 'prefork'],
    ['TCP of a connection that nobody read', 'idle'],
  ];
  const running = new Map<string, { generator: Generator; report: Report }>();
  let pair: NamespacePair;
  let agent: Agent;

  before(async () => {
    pair = await makeNamespacePair();
    for (const [what, program, options] of scenarios) await start(what, program, options);
    await start('TCP across namespaces', 'tcp_stream', across(pair));
    await start('UDP', 'udp', { connect: '1' });
    agent = await Agent.start({ flags: ['--capture-poll-interval-ms', '250'] });
  });
  after(async () => {
    for (const { generator } of running.values()) await generator.finish();
    await agent.stop();
    await pair.remove();
  });

  for (const what of [...scenarios.map(([name]) => name), 'TCP across namespaces']) {
    test(`${what} is there, marked, with its counters and its owners`, async () => {
      const { report } = started(what);
      const flows = await found(report);
      for (const flow of flows) {
        assert.equal(flow.startedBefore, true);
        assert.equal(flow.state, 'OPEN');
        const [client, server] = ['client', 'server'].map((side) =>
          report.sockets.find(
            (socket) =>
              socket.side === side && (side === 'client' ? socket.localPort : socket.remotePort) === flow.client.port,
          ),
        );
        assert.deepEqual([flow.client.sent.payloadBytes, flow.server.sent.payloadBytes], [client?.sent, server?.sent]);
        assert.deepEqual([flow.client.process?.pid, flow.server.process?.pid], [client?.pid, server?.pid]);
      }
    });
  }

  test('TCP that goes on: the kernel’s counters stay exact to the end', async () => {
    const { generator } = started('TCP over IPv4');
    const more = await generator.nextRound();
    const expected = totals(more);
    await eventually(async () => {
      assert.deepEqual((await found(more)).map(sentBytes), expected);
    });
    await generator.finish();
    await eventually(async () => {
      const flows = await found(more);
      assert.deepEqual(flows.map(sentBytes), expected);
      assert.deepEqual(
        flows.map(({ state }) => state),
        ['ENDED'],
      );
    });
  });

  test('UDP is there when it goes on, and says that its counters began with the agent', async () => {
    const { generator, report } = started('UDP');
    const more = await generator.nextRound();
    await eventually(async () => {
      const [flow] = await found(more);
      assert.equal(flow?.startedBefore, true);
      assert.ok(flow.notes.some(({ code }) => code === 'COUNTERS_SINCE_AGENT_START'));
      const [server, client] = more.sockets;
      const [serverBefore, clientBefore] = report.sockets;
      assert.deepEqual(sentBytes(flow), [
        Number(client?.sent) - Number(clientBefore?.sent),
        Number(server?.sent) - Number(serverBefore?.sent),
      ]);
    });
  });

  test('a process is there, marked, with arguments, user and parent', async () => {
    const { report } = started('TCP of a forked worker');
    const query = `query ($pid: Int) { processes(where: { pid: { eq: $pid } }) {
      nodes { name arguments startedBefore endTime user { name } parent { pid } } } }`;
    const worker = report.sockets.find(({ side }) => side === 'server');
    const { processes } = await agent.graphql<{ processes: { nodes: Record<string, unknown>[] } }>(query, {
      pid: worker?.pid,
    });
    assert.equal(processes.nodes.length, 1);
    const [process] = processes.nodes;
    assert.equal(process?.['name'], 'prefork');
    assert.match(String((process['arguments'] as string[])[0]), /\/prefork$/);
    assert.equal(process['startedBefore'], true);
    assert.equal(process['endTime'], null);
    assert.deepEqual(process['user'], { name: 'root' });
    assert.deepEqual(process['parent'], { pid: report.pid });
  });

  test('a flow that begins after the start is not marked', async () => {
    const generator = await Generator.start('tcp_stream');
    const report = await generator.report();
    await assertShown(agent, generator, report, { startedBefore: false });
    await generator.finish();
  });

  async function start(what: string, program: string, options?: Record<string, string>): Promise<void> {
    const generator = await Generator.start(program, options);
    running.set(what, { generator, report: await generator.report() });
  }

  function started(what: string): { generator: Generator; report: Report } {
    const one = running.get(what);
    assert.ok(one);
    return one;
  }

  /** The flows of the report's sockets: all of them, or it is asked again. */
  function found(report: Report): Promise<FlowView[]> {
    const clients = report.sockets.filter(({ side }) => side === 'client');
    const [first] = clients;
    return eventually(async () => {
      const flows = await agent.flows({
        serverPort: { eq: first?.remotePort },
        clientPort: { in: clients.map(({ localPort }) => localPort) },
      });
      assert.equal(flows.length, clients.length);
      return flows;
    });
  }
});

function sentBytes(flow: FlowView): (number | null)[] {
  return [flow.client.sent.payloadBytes, flow.server.sent.payloadBytes];
}

/** As `sentBytes`, of a generator with one flow. */
function totals(report: Report): number[][] {
  const of = (side: string): number => report.sockets.find((socket) => socket.side === side)?.sent ?? 0;
  return [[of('client'), of('server')]];
}
