/** Frames that no honest sender makes: the agent lives, counts them, and goes on to see what is right. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  across,
  Agent,
  assertShown,
  eventually,
  makeNamespacePair,
  run,
  sharesOf,
  skipWithoutBpf,
  withTraffic,
  type NamespacePair,
} from './harness/index.js';

const skip = await skipWithoutBpf('malformed frames');

describe('malformed frames', { skip }, () => {
  let agent: Agent;
  let pair: NamespacePair;

  before(async () => {
    agent = await Agent.start({ flags: ['--capture-poll-interval-ms', '250'] });
    pair = await makeNamespacePair();
  });
  after(async () => {
    await agent.stop();
    await pair.remove();
  });

  for (const family of ['v4', 'v6'] as const) {
    test(`over ${family}: each is counted for who sent it, and honest traffic is seen exactly afterwards`, async (t) => {
      const interfaces = { 'client-interface': 'veth0', 'server-interface': 'veth0' };
      const options = { ...across(pair, family), ...interfaces, count: 20_000 };
      const before = await segmentsTaken();
      await withTraffic(t, ['malformed', options], async (generator, report) => {
        const [sender] = report.sockets;
        assert.ok(sender);
        await eventually(async () => {
          const flows = await agent.flows({ protocol: ['PACKET'], pid: { eq: sender.pid } });
          const shown = flows.map((flow) => [sharesOf(flow.client)[sender.pid], sharesOf(flow.server)[sender.pid]]);
          const sent = shown.flat().reduce((sum, share) => sum + (share?.sent ?? 0), 0);
          assert.equal(sent, sender.sent);
        });
        await generator.finish();
      });
      // Many of them did get as far as a socket.
      assert.ok((await segmentsTaken()) > before + 3000);

      const { tiers, losses } = await agent.host();
      assert.deepEqual(
        tiers.filter(({ state }) => state !== 'ON'),
        [],
      );
      assert.deepEqual(
        losses.filter(({ place, count }) => /^(peerCounters|applicationTable)$/.test(place) && count > 0),
        [],
      );
      await withTraffic(t, ['udp', { ...across(pair, family), peers: 5 }], async (generator, report) => {
        await assertShown(agent, generator, report, { state: 'OPEN' });
        await generator.finish();
      });
      await withTraffic(t, ['tcp_end', { ...across(pair, family), how: 'half-close' }], async (generator, report) => {
        await assertShown(agent, generator, report, { state: 'ENDED', endReason: 'END_OF_FLOW' });
        await generator.finish();
      });
      assert.equal((await agent.get('/readyz')).status, 200);
    });
  }

  /** TCP segments that came to the server's namespace and that the kernel found nothing wrong with. */
  async function segmentsTaken(): Promise<number> {
    const snmp = await run('ip', 'netns', 'exec', pair.server.name, 'cat', '/proc/net/snmp');
    const [names = [], values = []] = [...snmp.matchAll(/^Tcp: (.*)$/gm)].map((match) => (match[1] ?? '').split(' '));
    const valueOf = (name: string): number => Number(values[names.indexOf(name)]);
    return valueOf('InSegs') - valueOf('InErrs');
  }
});
