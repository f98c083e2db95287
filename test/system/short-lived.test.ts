/** Processes that live for about a millisecond. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Agent, eventually, skipWithoutBpf, withTraffic } from './harness/index.js';

const PROCESSES = 5000;
const skip = await skipWithoutBpf(`${PROCESSES} processes of a millisecond each, all of them named`);

interface StormFlow {
  readonly client: {
    readonly port: number;
    readonly sent: { readonly payloadBytes: number };
    readonly process: {
      readonly pid: number;
      readonly name: string;
      readonly executable: string;
      readonly arguments: readonly string[];
      readonly parent: { readonly pid: number } | null;
      readonly user: { readonly name: string };
      readonly exitCode: number | null;
    } | null;
  };
}

describe('short-lived processes', { skip }, () => {
  let agent: Agent;

  before(async () => {
    agent = await Agent.start();
  });
  after(() => agent.stop());

  test(`all of ${PROCESSES} are shown with name, arguments, parent, user and exact bytes, and nothing is lost`, async (t) => {
    await withTraffic(t, ['storm', { processes: PROCESSES }], async (generator, report) => {
      const clients = report.sockets.filter(({ side }) => side === 'client');
      assert.equal(clients.length, PROCESSES);
      const port = clients[0]?.remotePort ?? 0;
      await eventually(async () => {
        // By process: ports are used again so soon after a connection over loopback.
        const shown = new Map((await allFlows(port)).map(({ client }) => [client.process?.pid, client]));
        const wrong = clients.filter(({ localPort, pid, sent }) => {
          const client = shown.get(pid);
          const process = client?.process;
          return !(
            client?.port === localPort &&
            client.sent.payloadBytes === sent &&
            process?.name === 'storm_child' &&
            process.executable.endsWith('/storm_child') &&
            process.arguments.length === 4 &&
            process.arguments[2] === String(sent) &&
            process.parent !== null &&
            process.user.name === 'root' &&
            process.exitCode === 0
          );
        });
        const [first] = wrong;
        const detail = `${JSON.stringify(first)} is shown as ${JSON.stringify(shown.get(first?.pid))}`;
        assert.equal(wrong.length, 0, `${wrong.length} of ${PROCESSES} are wrong; the first: ${detail}`);
        const names = new Set([...shown.values()].map(({ process }) => process?.arguments[3]));
        assert.equal(names.size, PROCESSES, 'each has an argument of its own');
        const spawners = new Set(clients.map(({ pid }) => shown.get(pid)?.process?.parent?.pid));
        assert.equal(spawners.size, 1, `one process is the parent of all: ${[...spawners].join(', ')}`);
      });
      const { losses } = await agent.host();
      assert.deepEqual(
        losses.filter(({ count }) => count > 0),
        [],
      );
      await generator.finish();
    });
  });

  /** Page by page, in the order of their start, as a reader would. */
  async function allFlows(serverPort: number): Promise<StormFlow[]> {
    const query = `query ($where: FlowFilter, $after: String) { flows(where: $where, first: 1000, after: $after) {
      nodes { client { port sent { payloadBytes }
        process { pid name executable arguments parent { pid } user { name } exitCode } } }
      pageInfo { hasNextPage endCursor } } }`;
    interface Page {
      flows: { nodes: StormFlow[]; pageInfo: { hasNextPage: boolean; endCursor: string } };
    }
    const all: StormFlow[] = [];
    let after: string | null = null;
    while (true) {
      const where = { serverPort: { eq: serverPort } };
      const { flows }: Page = await agent.graphql<Page>(query, { where, after });
      all.push(...flows.nodes);
      if (!flows.pageInfo.hasNextPage) return all;
      after = flows.pageInfo.endCursor;
    }
  }
});
