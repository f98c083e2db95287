import assert from 'node:assert/strict';
import test from 'node:test';
import { Stage, Story, type Pid } from './dsl.js';

const LOOP = { from: '127.0.0.1:5000', to: '127.0.0.1:80' };

function manyFlows(nowMs: number, count: number): Story {
  const story = new Story(nowMs);
  for (let i = 1; i <= count; i++) story.opened(i, { from: `10.0.${i >> 8}.${i & 255}:5000`, to: '192.0.2.1:80' });
  return story;
}

test('a large batch is worked off in slices, and its facts come in order', async () => {
  const stage = new Stage();
  stage.correlator.apply(manyFlows(20_000, 3000).seal());
  stage.correlator.apply(new Story(20_001).seen(7, 'late').seal());
  assert.deepEqual(stage.facts(), [], 'nothing is done before the event loop turns');
  await stage.correlator.settled();
  const facts = stage.facts();
  assert.equal(facts.length, 3001);
  assert.equal(facts.at(-1), 'STARTED 7 late');
  assert.equal(stage.correlator.backlogBytes, 0);
  await stage.correlator.settled();
});

test('a flow is not shown before its batch was applied whole', async () => {
  const stage = new Stage();
  stage.correlator.apply(manyFlows(20_000, 20_000).seal());
  const sizes = new Set<number>();
  while (stage.correlator.backlogBytes > 0) {
    sizes.add(stage.flows.filter((flow) => flow.revision === 0).length);
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.deepEqual([...sizes], [0]);
  assert.equal(stage.flows.length, 20_000);
});

test('a full queue is worked off at once', () => {
  const stage = new Stage({ maxQueuedBytes: 1 });
  stage.correlator.apply(manyFlows(20_000, 100).seal());
  assert.equal(stage.flows.length, 100);
  assert.equal(stage.correlator.backlogBytes, 0);
});

test('a listener that was taken off hears nothing more', () => {
  const stage = new Stage();
  stage.deaf().batch((story) => story.seen(1, 'init'));
  assert.deepEqual(stage.facts(), []);
});

test('status counts flows, processes and losses by place', () => {
  const stage = new Stage().batch((story) => story.seen(1, 'init').opened(1, LOOP).lost('ringBuffer.socket', 3));
  stage.batch((story) =>
    story
      .opened(2, { ...LOOP, to: '192.0.2.1:80' })
      .ended(2, { ...LOOP, to: '192.0.2.1:80' })
      .lost('ringBuffer.socket', 5),
  );
  const status = stage.correlator.status();
  assert.equal(status.liveFlows, 1);
  assert.equal(status.endedFlows, 1);
  assert.equal(status.flowsStarted, 2);
  assert.equal(status.flowsEnded, 1);
  assert.equal(status.liveProcesses, 1);
  assert.deepEqual(status.losses[0], { place: 'ringBuffer.socket', count: 5 });
  assert.ok(status.agentMemoryBytes > 0);
  assert.equal(stage.correlator.nowMicros(), (1_700_000_000_000 + stage.nowMs) * 1000);
});

test('nothing is taken after a stop', () => {
  const stage = new Stage().batch((story) => story.opened(1, LOOP));
  stage.correlator.close();
  stage.correlator.close();
  stage.batch((story) => story.opened(2, LOOP)).wait(100_000);
  assert.equal(stage.flow.endReason, 'FORCED');
});

/** Lives of all kinds, every one with processes of its own, told over a few batches each. */
function lives(story: Story, phase: number, index: number): void {
  const cookie = 10 * index;
  const client: Pid = [100_000 + index, 20_000];
  const server: Pid = [300_000 + index, 20_000];
  const port = 10_000 + (index % 50_000);
  const there = { from: `127.0.0.1:${port}`, to: '127.0.0.1:80' };
  const back = { from: '127.0.0.1:80', to: `127.0.0.1:${port}`, passive: true };
  const datagram = { protocol: 17, from: `:${port}`, listener: true };
  if (phase === 0) {
    story.fork(client, 1).exec(client, 'curl', { parent: 1 }).fork(server, client);
    story.opened(cookie + 1, { ...there, opener: client }).opened(cookie + 2, { ...back, holder: server });
    story.began(cookie + 1, client, { cpu: index }).began(cookie + 2, server, { cpu: index * 5000 });
    story.began(cookie + 3, server, { cpu: index }).began(cookie + 5, server, { cpu: index });
    story.opened(cookie + 3, datagram).moved(cookie + 3, client, { peer: '192.0.2.1:53', local: '10.0.0.1', sent: 5 });
    story.moved(cookie + 3, server, { peer: `127.0.0.1:${port}`, local: '127.0.0.1', sent: 5, final: index % 2 === 0 });
    story.moved(cookie + 3, server, { received: 3, peerUnknown: true });
    story.asked(cookie + 1, 'client', { pid: client }).asked(cookie + 2, 'server', { pid: server });
    story.opened(cookie + 4, { protocol: 1, from: '10.0.0.1', counted: false, to: '10.0.0.2:9' });
  } else if (phase === 1) {
    story
      .moved(cookie + 1, client, { sent: 4 })
      .moved(cookie + 2, server, { received: 3 })
      .update(cookie + 2, { ...back, received: 4 });
    story.answered(cookie + 1, 'client', { pid: client });
    story.stopped(cookie + 1, client, { cpu: index + 1 }).ended(cookie + 1, { ...there, closer: client });
    if (index % 3 === 0) story.sampled(server, { cpu: index * 6000 });
  } else {
    // Of some the server's end is lost.
    if (index % 3 > 0) story.answered(cookie + 2, 'server', { pid: server });
    story
      .ended(cookie + 2, { ...back, mover: server })
      .ended(cookie + 3, datagram)
      .ended(cookie + 4, { protocol: 1, from: '10.0.0.1' });
    story.exit(client).exit(server, { totals: { cpu: index * 7000 } });
  }
}

test('a hundred thousand lives leave nothing behind', () => {
  const stage = new Stage({
    flows: { idleTimeoutMs: 1000, keepEndedMs: 1000, keepEndedMax: 2000, maxLive: 100_000 },
    processes: { keepExitedMs: 500, keepExitedMax: 1000, redact: [] },
  });
  stage.batch((story) => story.seen(1, 'init').listens(9, ':80', { holder: 1 }));
  const perBatch = 500;
  for (let first = 1; first < 20_000; first += perBatch) {
    for (const phase of [0, 1, 2]) {
      stage.batch((story) => {
        for (let index = first; index < first + perBatch; index++) lives(story, phase, index);
      }, 100);
    }
    // Some flows end by silence instead.
    if (first % 3000 === 1) stage.wait(1500);
  }
  assert.ok(stage.correlator.status().flowsStarted >= 80_000, String(stage.correlator.status().flowsStarted));
  stage
    .batch((story) => story.ended(9, { from: ':80', listener: true }), 5000)
    .wait(5000)
    .wait(31_000);
  stage.batch((story) => story.exit(1)).wait(2000);
  assert.deepEqual(
    { ...stage.correlator.sizes() },
    {
      flows: 0,
      processes: 0,
      sockets: 0,
      tuples: 0,
      targets: 0,
      listeners: 0,
      idle: 0,
      lingering: 0,
      aside: 0,
      exchanges: 0,
      exchangeFlows: 0,
      exchangesWaiting: 0,
      exchangeSockets: 0,
      exchangeAside: 0,
      detections: 0,
      unresolved: 0,
      endedCookies: 0,
      processTracks: 0,
      openWindows: 0,
      closedWindows: 0,
      epochs: 0,
      windowsAside: 0,
    },
  );
  const { flowsStarted, flowsEnded, exchangesStarted, exchangesEnded } = stage.correlator.status();
  assert.equal(flowsStarted, flowsEnded);
  assert.equal(exchangesStarted, exchangesEnded);
  assert.equal(exchangesStarted, 20_000);
});
