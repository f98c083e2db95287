/** Who moved the bytes: the process that sent or received, not the one that made the socket. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  across,
  Agent,
  assertShown,
  eventually,
  flowsOf,
  conversations,
  makeNamespacePair,
  skipWithoutBpf,
  withTraffic,
  type NamespacePair,
  type Report,
} from './harness/index.js';

const skip = await skipWithoutBpf('attribution of bytes to processes');

describe('attribution', { skip }, () => {
  let agent: Agent;

  before(async () => {
    agent = await Agent.start({ flags: ['--capture-poll-interval-ms', '250'] });
  });
  after(() => agent.stop());

  const servers: [program: string, what: string, processes: number][] = [
    ['prefork', 'a listener shared by forked workers: each has its own bytes', 4],
    ['reuse_port', 'listeners of several processes on one port', 2],
    ['hand_over', 'a connection handed over by SCM_RIGHTS: both have their part', 2],
    ['fork_after_accept', 'a process forked for each connection', 4],
    ['inetd', 'a program executed with the connection as its standard input', 3],
    ['threads', 'a thread for each connection: one process', 1],
    ['user_change', 'workers that change their user', 2],
  ];
  for (const [program, what, processes] of servers) {
    test(`${program}: ${what}`, async (t) => {
      await withTraffic(t, [program], async (generator, report) => {
        const pids = new Set(report.sockets.filter(({ side }) => side === 'server').map(({ pid }) => pid));
        assert.ok(pids.size >= processes, `${pids.size} processes served`);
        await assertShown(agent, generator, report, { state: 'OPEN' });
        const more = await generator.nextRound();
        await generator.finish();
        await assertShown(agent, generator, more, { state: 'ENDED', endReason: 'END_OF_FLOW' });
      });
    });
  }

  test('inetd: the program has its own name and arguments, and the server as its parent', async (t) => {
    await withTraffic(t, ['inetd'], async (generator, report) => {
      const { server } = await processesOf(report);
      assert.equal(server.name, 'inetd_handler');
      assert.match(server.executable ?? '', /\/inetd_handler$/);
      assert.deepEqual(server.arguments?.[0], 'inetd_handler');
      assert.equal(server.parent?.name, 'inetd');
      assert.deepEqual(
        server.images.map(({ name }) => name),
        ['inetd_handler'],
      );
      await generator.finish();
    });
  });

  test('the user is the one that a worker became', async (t) => {
    await withTraffic(t, ['user_change', { uid: 65534 }], async (generator, report) => {
      await eventually(async () => {
        const { server, client } = await processesOf(report);
        assert.deepEqual(server.user, { uid: 65534, name: 'nobody' });
        assert.deepEqual(client.user, { uid: 0, name: 'root' });
      });
      const port = report.sockets.find(({ side }) => side === 'server')?.localPort;
      await eventually(async () => {
        const found = await agent.flows({ user: { eq: 'nobody' }, serverPort: { eq: port } });
        assert.equal(found.length, 2);
      });
      await generator.finish();
    });
  });

  test('a user without an account is shown by number', async (t) => {
    await withTraffic(t, ['user_change', { uid: 54321 }], async (generator, report) => {
      await eventually(async () => {
        const { server } = await processesOf(report);
        assert.deepEqual(server.user, { uid: 54321, name: '54321' });
      });
      await generator.finish();
    });
  });

  for (const up of [0, 5000]) {
    test(`a connection that was accepted and not read belongs to who holds it, with ${up} bytes unread`, async (t) => {
      await withTraffic(t, ['idle', { up }], async (generator, report) => {
        const holder = report.sockets.find(({ side }) => side === 'server');
        await eventually(async () => {
          const [conversation] = conversations(report);
          assert.ok(conversation);
          const [flow] = await flowsOf(agent, conversation, generator.startedAt);
          assert.equal(flow?.state, 'OPEN');
          assert.equal(flow.server.process?.pid, holder?.pid);
          assert.equal(flow.client.sent.payloadBytes, up);
        });
        await generator.finish();
      });
    });
  }

  describe('across network namespaces', () => {
    let pair: NamespacePair;

    before(async () => {
      pair = await makeNamespacePair();
    });
    after(() => pair.remove());

    for (const family of ['v4', 'v6'] as const) {
      for (const program of ['tcp_stream', 'udp']) {
        test(`${program} over ${family}: one flow with both processes`, async (t) => {
          await withTraffic(t, [program, across(pair, family)], async (generator, report) => {
            const [flow] = await assertShown(agent, generator, report, { state: 'OPEN' });
            assert.equal(flow?.direction, 'LOCAL');
            await generator.finish();
            const [ended] = await assertShown(agent, generator, report, { state: 'ENDED' });
            assert.equal(ended?.id, flow.id);
          });
        });
      }
    }

    test('both ends on the loopback of another namespace, at addresses that the host has, too', async (t) => {
      const inside = { 'client-netns': pair.client.name, 'server-netns': pair.client.name };
      await withTraffic(t, ['tcp_stream', inside], async (generator, report) => {
        await assertShown(agent, generator, report, { state: 'OPEN' });
        await generator.finish();
      });
    });
  });

  interface FullProcess {
    readonly name: string;
    readonly executable: string | null;
    readonly arguments: readonly string[] | null;
    readonly parent: { readonly name: string } | null;
    readonly user: { readonly uid: number; readonly name: string };
    readonly images: readonly { readonly name: string }[];
  }

  /** The processes at the ends of the first of a report's flows. */
  function processesOf(report: Report): Promise<{ client: FullProcess; server: FullProcess }> {
    const socket = report.sockets.find(({ side }) => side === 'server');
    const fields = `process { name executable arguments parent { name } user { uid name } images { name } }`;
    const query = `query ($where: FlowFilter) { flows(where: $where) { nodes { client { ${fields} } server { ${fields} } } } }`;
    const where = { serverPort: { eq: socket?.localPort }, clientPort: { eq: socket?.remotePort } };
    return eventually(async () => {
      const { flows } = await agent.graphql<{
        flows: { nodes: { client: { process: FullProcess | null }; server: { process: FullProcess | null } }[] };
      }>(query, { where });
      const [flow] = flows.nodes;
      assert.ok(flow?.client.process && flow.server.process);
      return { client: flow.client.process, server: flow.server.process };
    });
  }
});
