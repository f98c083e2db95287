/** Many flows, and readers that do not read. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Agent, eventually, Generator, skipWithoutBpf, withTraffic } from './harness/index.js';

const skip = await skipWithoutBpf('100 000 live flows, and a subscriber that stops reading');
const FLOWS = 100_000;
const MIB = 1024 * 1024;
/** Far more than these take, so that one that hangs says so. */
const TEST_MS = 180_000;

describe('100 000 live flows', { skip }, () => {
  let agent: Agent;

  before(async () => {
    agent = await Agent.start();
  });
  after(() => agent.stop());

  test('are all shown, exact in sum, in bounded memory, and end', { timeout: TEST_MS }, async (t) => {
    await withTraffic(
      t,
      ['many', { connections: FLOWS, each: 12_500, sum: 1, up: 10, down: 20 }],
      async (generator, report) => {
        const clients = report.sockets.filter(({ side }) => side === 'client');
        assert.equal(
          clients.reduce((total, { sockets }) => total + sockets, 0),
          FLOWS,
        );
        const serverPort = { eq: clients[0]?.remotePort };
        const sent = clients.reduce((total, socket) => total + socket.sent + socket.received, 0);
        await eventually(async () => {
          const totals = await totalsOf({ serverPort, state: ['OPEN'] });
          assert.deepEqual(totals, { flows: FLOWS, payloadBytes: sent });
        }, 60_000);
        const { agentMemoryBytes, losses } = await agent.host();
        assert.ok(agentMemoryBytes < 1024 * MIB, `the agent has ${Math.round(agentMemoryBytes / MIB)} MiB`);
        assert.deepEqual(
          // Payloads that do not get to nDPI are counted, too, but cost the flows only their applications.
          losses.filter(
            ({ place, count }) => count > 0 && !/^(ringBuffer.packet|application(Table|Budget))$/.test(place),
          ),
          [],
        );
        await generator.finish();
        await eventually(async () => {
          const left = await agent.graphql<{ flows: { totalCount: number } }>(
            'query ($where: FlowFilter) { flows(where: $where, first: 1) { totalCount } }',
            { where: { serverPort, state: ['OPENING', 'OPEN', 'CLOSING'] } },
          );
          assert.equal(left.flows.totalCount, 0);
        }, 60_000);
      },
    );
  });

  async function totalsOf(where: object): Promise<{ flows: number; payloadBytes: number }> {
    const { flowTotals } = await agent.graphql<{ flowTotals: { flows: number; payloadBytes: number }[] }>(
      'query ($where: FlowFilter) { flowTotals(groupBy: [PROTOCOL], where: $where) { flows payloadBytes } }',
      { where },
    );
    const [first] = flowTotals;
    assert.ok(first);
    return { flows: first.flows, payloadBytes: first.payloadBytes };
  }
});

describe('a subscriber that stops reading', { skip }, () => {
  const BUFFER = 100;
  const CONNECTIONS = 20_000;
  let agent: Agent;

  before(async () => {
    agent = await Agent.start({ flags: ['--api-subscriber-buffer-events', String(BUFFER)] });
  });
  after(() => agent.stop());

  test('costs no memory, and is told what it lost', { timeout: TEST_MS }, async () => {
    const churn = await Generator.start('churn', { connections: CONNECTIONS });
    const first = await churn.report();
    const port = first.sockets.find(({ side }) => side === 'client')?.remotePort ?? 0;
    // All fields of every flow: far more than the buffers of a socket take.
    const stuck = await agent.stream(`/v1/flows/stream?serverPort=${port}`);
    stuck.pause();
    await eventually(async () => {
      assert.equal(
        (await agent.graphql<{ host: { subscribers: number } }>('{ host { subscribers } }')).host.subscribers,
        1,
      );
    });
    const { agentMemoryBytes: before } = await agent.host();
    await churn.nextRound();
    await eventually(async () => {
      const { flows } = await agent.graphql<{ flows: { totalCount: number } }>(
        'query ($where: FlowFilter) { flows(where: $where, first: 1) { totalCount } }',
        { where: { serverPort: { eq: port }, state: ['ENDED'] } },
      );
      assert.equal(flows.totalCount, 2 * CONNECTIONS);
    });
    const { agentMemoryBytes: afterwards, losses } = await agent.host();
    const lost = losses.find(({ place }) => place === 'subscriber')?.count ?? 0;
    assert.ok(lost > 0, JSON.stringify(losses));
    assert.ok(afterwards - before < 300 * MIB, `${Math.round((afterwards - before) / MIB)} MiB more`);

    let text = '';
    for await (const chunk of stuck) {
      text += String(chunk);
      if (text.includes('event: dropped')) break;
    }
    assert.match(text, /event: dropped\n(?:.*\n)*?data: .*\d/);
    stuck.destroy();
    await churn.finish();
  });
});
