/** The agent as a user without privileges: less is shown, and it says what and why. */
import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { temporaryDirectory } from '../temporary.js';
import { Agent, copyBuild, eventually, Generator } from './harness/index.js';

const NOBODY = 65534;
const isRoot = process.getuid?.() === 0;

// Made here, not in a hook: what a hook makes goes with the hook.
const directory = temporaryDirectory();

describe('without privileges', () => {
  let agent: Agent;

  before(async () => {
    agent = await (isRoot ? startAsNobody() : Agent.start());
  });
  after(() => agent.stop());

  test('the source is procfs, and status says why it is not a better one', async () => {
    const { source, sourceReason, tiers } = await agent.host();
    assert.equal(source, 'procfs');
    assert.ok(sourceReason);
    for (const tier of tiers) {
      assert.notEqual(tier.state, 'ON');
      assert.ok(tier.reason, tier.name);
    }
  });

  test('TCP flows are shown with the kernel’s counters, and a process that may not be seen is said to be there', async () => {
    // Its listener stays: without events, that is what tells the server from the client.
    const generator = await Generator.start('prefork');
    const report = await generator.report();
    const client = report.sockets.find(({ side }) => side === 'client');
    await eventually(async () => {
      const flows = await agent.flows({
        clientPort: { eq: client?.localPort },
        serverPort: { eq: client?.remotePort },
      });
      assert.equal(flows.length, 1);
      const [flow] = flows;
      assert.ok(flow);
      assert.deepEqual(
        [flow.client.sent.payloadBytes, flow.server.sent.payloadBytes],
        [client?.sent, client?.received],
      );
      if (isRoot) {
        assert.equal(flow.client.process, null);
        assert.ok(flow.notes.some(({ code }) => code === 'PROCESS_NOT_VISIBLE'));
      } else {
        assert.equal(flow.client.process?.pid, client?.pid);
      }
    });
    await generator.finish();
  });

  test('processes of the whole host are shown as far as /proc tells', async () => {
    const { processes } = await agent.graphql<{ processes: { nodes: { name: string; user: { uid: number } }[] } }>(
      'query ($pid: Int) { processes(where: { pid: { eq: $pid } }) { nodes { name user { uid } } } }',
      { pid: process.pid },
    );
    assert.equal(processes.nodes.length, 1);
    assert.equal(processes.nodes[0]?.user.uid, process.getuid?.());
  });
});

describe('the procfs source with privileges', { skip: isRoot ? false : 'needs root' }, () => {
  let agent: Agent;

  before(async () => {
    agent = await Agent.start({ flags: ['--source', 'procfs', '--capture-poll-interval-ms', '200'] });
  });
  after(() => agent.stop());

  for (const options of [{}, { family: 'v6' }, { family: 'mapped' }]) {
    test(`TCP ${JSON.stringify(options)} has real counters and its owners`, async () => {
      const generator = await Generator.start('prefork', options);
      const report = await generator.report();
      const client = report.sockets.find(({ side }) => side === 'client');
      const server = report.sockets.find(
        ({ side, remotePort }) => side === 'server' && remotePort === client?.localPort,
      );
      await eventually(async () => {
        const [flow] = await agent.flows({
          clientPort: { eq: client?.localPort },
          serverPort: { eq: client?.remotePort },
        });
        assert.ok(flow);
        assert.deepEqual([flow.client.process?.pid, flow.server.process?.pid], [client?.pid, server?.pid]);
        assert.deepEqual([flow.client.sent.payloadBytes, flow.server.sent.payloadBytes], [client?.sent, server?.sent]);
      });
      await generator.finish();
    });
  }
});

async function startAsNobody(): Promise<Agent> {
  chmodSync(directory, 0o755);
  const home = join(directory, 'home');
  mkdirSync(home);
  chownSync(home, NOBODY, NOBODY);
  const prefix = ['setpriv', '--reuid', String(NOBODY), '--regid', String(NOBODY), '--clear-groups', '--no-new-privs'];
  return Agent.start({ prefix, main: copyBuild(directory), directory: home });
}
