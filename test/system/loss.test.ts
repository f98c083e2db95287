/** A ring buffer that is far too small: what is lost is counted by place, and TCP totals come right all the same. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Agent, eventually, Generator, skipWithoutBpf } from './harness/index.js';

const skip = await skipWithoutBpf('losses in a tiny ring buffer');
const CONNECTIONS = 300;

describe('a ring buffer of one page', { skip }, () => {
  let agent: Agent;

  before(async () => {
    agent = await Agent.start({ flags: ['--capture-ring-buffer-bytes', '4096', '--capture-poll-interval-ms', '500'] });
  });
  after(() => agent.stop());

  test('loses events, counts them by place, and shows all live TCP flows with exact totals after the resync', async () => {
    const churn = await Generator.start('churn', { connections: 3000 });
    const many = await Generator.start('many', { connections: CONNECTIONS, up: 1000, down: 3000 });
    await many.report();
    await churn.report();
    const report = await many.nextRound();
    const clients = report.sockets.filter(({ side }) => side === 'client');
    assert.equal(clients.length, CONNECTIONS);
    const expected = new Map(clients.map(({ localPort, sent, received }) => [localPort, [sent, received]]));

    await eventually(async () => {
      const flows = await agent.flows({ serverPort: { eq: clients[0]?.remotePort }, state: ['OPEN'] });
      const shown = new Map(
        flows.map(({ client, server }) => [client.port, [client.sent.payloadBytes, server.sent.payloadBytes]]),
      );
      assert.deepEqual(shown, expected);
    });
    const { losses } = await agent.host();
    const lost = losses.filter(({ place, count }) => place.startsWith('ringBuffer.') && count > 0);
    assert.ok(lost.length > 0, `losses by place: ${JSON.stringify(losses)}`);
    const metrics = await agent.get('/metrics');
    for (const { place } of lost) assert.ok(metrics.text.includes(place), `${place} is in the metrics`);

    await many.finish();
    await churn.finish();
    await eventually(async () => {
      const flows = await agent.flows({ serverPort: { eq: clients[0]?.remotePort } });
      const open = flows.filter(({ state }) => state !== 'ENDED');
      assert.deepEqual(open, [], 'flows whose end was lost end as well');
      const wrong = flows.filter(
        ({ client, server }) =>
          String([client.sent.payloadBytes, server.sent.payloadBytes]) !== String(expected.get(client.port ?? 0)),
      );
      assert.deepEqual(wrong, []);
    });
  });
});
