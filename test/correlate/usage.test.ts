import assert from 'node:assert/strict';
import test from 'node:test';
import type { Endpoint, Usage } from '../../src/correlate/index.js';
import { noteCodes } from '../../src/correlate/model.js';
import { EPOCH_MS, plain, Stage, type ReadingWords } from './dsl.js';

const MIB = 1024 * 1024;
const CLIENT = { from: '10.0.0.1:5000', to: '192.0.2.9:443' };
const LOOP = { from: '127.0.0.1:5000', to: '127.0.0.1:80' };
const LOOP_BACK = { from: '127.0.0.1:80', to: '127.0.0.1:5000', passive: true };
const SERVER = { protocol: 17, from: '10.0.0.1:53', listener: true };

/** Time of day in ms that a boot time in ms is. */
const window = (from: number, to: number): object => ({
  from: (EPOCH_MS + from) * 1000,
  to: (EPOCH_MS + to) * 1000,
});

function usageOf(stage: Stage, endpoint: Endpoint, pid?: number): Usage | null {
  const share = endpoint.shares.find(({ process }) => process.pid === (pid ?? endpoint.process?.pid));
  return share === undefined ? null : stage.correlator.usageOf(share);
}

function usageNotes(stage: Stage): string {
  const codes = noteCodes(stage.correlator.notesOf(stage.flow));
  return codes.filter((code) => /USAGE|RESOURCES|IO_WAIT|PEAK/.test(code)).join(' ');
}

/** A process long at it, so that what it spent before must not show. */
const BEFORE: ReadingWords = {
  cpu: 60_000,
  user: 50_000,
  memory: 20,
  minor: 1000,
  major: 3,
  io: 500,
  read: 5e9,
  written: 7e9,
  waits: 80,
  preempted: 90,
};

test("a flow's usage is the difference of the readings at its edges", () => {
  const stage = new Stage().batch((story) => story.seen(100, 'curl').opened(1, CLIENT).began(1, 100, BEFORE));
  stage.batch(
    (story) =>
      story.moved(1, 100, { sent: 5 }).stopped(1, 100, {
        cpu: 60_030,
        user: 50_010,
        memory: 25,
        peak: 220,
        minor: 1007,
        major: 4,
        io: 550,
        read: 5e9 + 4096,
        written: 7e9 + 512,
        waits: 82,
        preempted: 91,
      }),
    200,
  );
  const usage = usageOf(stage, stage.flow.client);
  assert.ok(usage);
  assert.deepEqual(plain(usage), {
    window: window(10_040 - 20 + 20, 10_240),
    cpuTimeMs: 30,
    userMs: 10,
    systemMs: 20,
    memoryBytes: 25 * MIB,
    peakMemoryBytes: 220 * MIB,
    minorFaults: 7,
    majorFaults: 1,
    ioWaitMs: 50,
    readBytes: 4096,
    writtenBytes: 512,
    voluntarySwitches: 2,
    involuntarySwitches: 1,
  });
  assert.equal(usage.averageCpuLoadPercent, 15);
  assert.equal(usage.ioWaitPercent, 25);
  assert.equal(usageNotes(stage), '');
});

test('while a flow lives its usage goes up to the latest sample of the process', () => {
  const stage = new Stage().batch((story) => story.seen(100, 'curl').sampled(100, BEFORE));
  stage.batch((story) =>
    story
      .opened(1, CLIENT)
      .began(1, 100, { ...BEFORE, cpu: 60_001 })
      .moved(1, 100, { sent: 5 }),
  );
  assert.equal(usageOf(stage, stage.flow.client), null, 'nothing was read since it began');
  assert.equal(usageNotes(stage), 'USAGE_END_UNKNOWN');
  // The peak of this sample may have been before the flow; its memory was not.
  stage.batch((story) => story.sampled(100, { ...BEFORE, cpu: 60_101, memory: 30, peak: 90 }), 1000);
  assert.equal(usageOf(stage, stage.flow.client)?.cpuTimeMs, 100);
  assert.equal(usageOf(stage, stage.flow.client)?.peakMemoryBytes, 30 * MIB);
  stage.batch((story) => story.sampled(100, { ...BEFORE, cpu: 60_151, memory: 31, peak: 80 }), 1000);
  stage.batch((story) => story.sampled(100, { ...BEFORE, cpu: 60_201, memory: 31, peak: 40 }), 1000);
  const usage = usageOf(stage, stage.flow.client);
  assert.equal(usage?.cpuTimeMs, 200);
  assert.equal(usage.memoryBytes, 31 * MIB);
  assert.equal(usage.peakMemoryBytes, 80 * MIB);
  assert.deepEqual(usage.window, window(10_060, 13_060));
  assert.equal(usageNotes(stage), '');
});

test('each process that shared an end has its own window', () => {
  const stage = new Stage().batch((story) =>
    story.seen(200, 'nginx').seen(201, 'worker', { parent: 200 }).opened(1, LOOP_BACK).began(1, 200, { cpu: 10 }),
  );
  stage.batch(
    (story) => story.moved(1, 200, { received: 9 }).began(1, 201, { cpu: 5 }).moved(1, 201, { sent: 7 }),
    100,
  );
  stage.batch((story) => story.update(1, { ...LOOP_BACK, mover: 201 }).stopped(1, 200, { cpu: 12 }), 100);
  stage.batch((story) => story.stopped(1, 201, { cpu: 55 }), 100);
  const { server } = stage.flow;
  assert.equal(server.process?.name, 'worker');
  assert.equal(usageOf(stage, server)?.cpuTimeMs, 50);
  assert.deepEqual(usageOf(stage, server, 200)?.window, window(10_040, 10_240));
  assert.equal(usageOf(stage, server, 200)?.cpuTimeMs, 2);
});

test('both ends on this host have their usage, and it stays when the flow has ended', () => {
  const stage = new Stage().batch((story) =>
    story
      .seen(100, 'curl')
      .seen(200, 'nginx')
      .opened(1, { ...LOOP, opener: 100 })
      .began(1, 100, { cpu: 1 })
      .opened(2, LOOP_BACK)
      .began(2, 200, { cpu: 1000 })
      .moved(1, 100, { sent: 5, received: 7 })
      .moved(2, 200, { sent: 7, received: 5 }),
  );
  stage.batch((story) =>
    story
      .stopped(1, 100, { cpu: 4, memory: null })
      .ended(1, { ...LOOP, closer: 100, sent: 5, received: 7 })
      .stopped(2, 200, { cpu: 1002 })
      .ended(2, { ...LOOP_BACK, closer: 200, sent: 7, received: 5 })
      .exit(100, { totals: { cpu: 5, user: 2 } }),
  );
  assert.equal(stage.flow.state, 'ENDED');
  assert.equal(usageOf(stage, stage.flow.client)?.cpuTimeMs, 3);
  assert.equal(usageOf(stage, stage.flow.client)?.memoryBytes, null);
  assert.equal(usageOf(stage, stage.flow.server)?.cpuTimeMs, 2);
});

test('readings that come before the row of their socket wait for it', () => {
  const stage = new Stage().batch((story) =>
    story.seen(100, 'curl').began(1, 100, { cpu: 1 }).began(2, 100, { cpu: 1 }),
  );
  stage.batch((story) => story.stopped(1, 100, { cpu: 4 }));
  stage.batch((story) => story.opened(1, CLIENT));
  assert.equal(usageOf(stage, stage.flow.client, 100)?.cpuTimeMs, 3);
  assert.equal(stage.correlator.sizes()['windowsAside'], 1);
  stage.batch(() => undefined, 31_000);
  assert.equal(stage.correlator.sizes()['windowsAside'], 0);
  assert.deepEqual(
    stage.correlator.status().losses.find(({ place }) => place === 'usageAside'),
    { place: 'usageAside', count: 1 },
  );
});

test('who only opened the socket has a usage and is not among those that moved bytes', () => {
  const stage = new Stage().batch((story) =>
    story
      .seen(100, 'inetd')
      .opened(1, { ...CLIENT, opener: 100 })
      .began(1, 100, { cpu: 1 }),
  );
  stage.batch((story) => story.stopped(1, 100, { cpu: 2 }));
  assert.equal(usageOf(stage, stage.flow.client)?.cpuTimeMs, 1);
  assert.deepEqual(
    stage.flow.client.shares.map(({ hasMoved }) => hasMoved),
    [false],
  );
});

test('a first share made for its usage does not hide the user of the first message', () => {
  const stage = new Stage().batch((story) =>
    story.seen(201, 'worker', { uid: 0 }).opened(1, LOOP_BACK).began(1, 201, {}).moved(1, 201, { sent: 5, uid: 33 }),
  );
  assert.equal(stage.process(201).uid, 33);
});

test('an end that was never read is cut at the last sample, and says so', () => {
  const stage = new Stage().batch((story) => story.seen(100, 'curl').opened(1, CLIENT).began(1, 100, { cpu: 1 }));
  stage.batch((story) => story.moved(1, 100, { sent: 5 }).sampled(100, { cpu: 11 }), 500);
  stage.batch((story) => story.ended(1, { ...CLIENT, closer: 100, sent: 5 }), 300);
  assert.deepEqual(usageOf(stage, stage.flow.client)?.window, window(10_040, 10_540));
  assert.equal(usageNotes(stage), 'USAGE_END_UNKNOWN');
  stage.batch((story) => story.sampled(100, { cpu: 99 }), 500);
  assert.equal(usageOf(stage, stage.flow.client)?.cpuTimeMs, 10);
});

test('without any reading after the first there is no usage', () => {
  const stage = new Stage().batch((story) => story.seen(100, 'curl').opened(1, CLIENT).began(1, 100, { cpu: 1 }));
  stage.batch((story) => story.ended(1, { ...CLIENT, closer: 100, sent: 5 }));
  assert.equal(usageOf(stage, stage.flow.client), null);
  assert.equal(usageNotes(stage), 'USAGE_END_UNKNOWN');
});

test('why usage is not known is among the notes', () => {
  const off = new Stage().batch((story) => story.seen(100, 'curl').opened(1, { ...CLIENT, opener: 100 }));
  assert.equal(usageNotes(off), 'RESOURCES_TIER_OFF');
  const switchedOff = new Stage()
    .batch((story) => story.tier('resources', true))
    .batch((story) =>
      story
        .tier('resources', false)
        .seen(100, 'curl')
        .opened(1, { ...CLIENT, opener: 100 }),
    );
  assert.equal(usageNotes(switchedOff), 'RESOURCES_TIER_OFF');
  const lost = new Stage()
    .batch((story) => story.tier('resources', true))
    .batch((story) => story.seen(100, 'curl').opened(1, { ...CLIENT, opener: 100 }));
  assert.equal(usageNotes(lost), 'USAGE_START_UNKNOWN');
  const older = new Stage().batch((story) =>
    story
      .tier('resources', true)
      .seen(100, 'curl')
      .seenSocket(1, { ...CLIENT, seeded: true, holder: 100 }),
  );
  assert.equal(usageNotes(older), 'USAGE_START_UNKNOWN');
  const remote = new Stage().batch((story) => story.opened(1, CLIENT));
  assert.equal(usageNotes(remote), '');
});

test('waits that are not accounted and an unknown peak are null with their notes', () => {
  const stage = new Stage().batch((story) => story.seen(100, 'curl').opened(1, CLIENT).began(1, 100, { io: null }));
  stage.batch((story) => story.moved(1, 100, { sent: 1 }).stopped(1, 100, { cpu: 1, io: null, peak: null }));
  const usage = usageOf(stage, stage.flow.client);
  assert.equal(usage?.ioWaitMs, null);
  assert.equal(usage.ioWaitPercent, null);
  assert.equal(usage.peakMemoryBytes, null);
  assert.equal(usage.memoryBytes, 10 * MIB);
  assert.equal(usageNotes(stage), 'IO_WAIT_NOT_ACCOUNTED PEAK_MEMORY_UNKNOWN');
});

test('nothing is spent backwards', () => {
  const stage = new Stage().batch((story) => story.seen(100, 'curl').opened(1, CLIENT).began(1, 100, BEFORE));
  stage.batch((story) => story.stopped(1, 100, { cpu: 1, user: 1, io: 1 }));
  const usage = usageOf(stage, stage.flow.client, 100);
  assert.deepEqual(
    [usage?.cpuTimeMs, usage?.userMs, usage?.systemMs, usage?.ioWaitMs, usage?.readBytes],
    [0, 0, 0, 0, 0],
  );
});

test('windows of a busy process are exact however much it has spent before and between', () => {
  const stage = new Stage().batch((story) => story.seen(200, 'nginx'));
  const sizes = [1, 4_000, 5_000, 9e6, 9e6 + 4_200, 3e9];
  sizes.forEach((cpu, i) => {
    stage.batch((story) =>
      story
        .opened(i + 1, { ...LOOP_BACK, to: `127.0.0.1:${6000 + i}` })
        .began(i + 1, 200, { cpu, user: cpu / 2, read: cpu * 1e3, minor: cpu }),
    );
  });
  stage.batch((story) => {
    sizes.forEach((cpu, i) => {
      const words = { cpu: cpu + 7, user: cpu / 2 + 3, read: cpu * 1e3 + 512, minor: cpu + 1 };
      story.moved(i + 1, 200, { sent: 1 }).stopped(i + 1, 200, words);
    });
  });
  for (const flow of stage.flows) {
    const usage = usageOf(stage, flow.server, 200);
    assert.deepEqual(
      [usage?.cpuTimeMs, usage?.userMs, usage?.readBytes, usage?.minorFaults],
      [7, 3, 512, 1],
      String(flow.sequence),
    );
  }
  assert.equal(stage.correlator.sizes()['openWindows'], 0);
});

test('a datagram flow begins with the reading that is nearest before it', () => {
  const stage = new Stage().batch((story) => story.seen(300, 'named').opened(1, SERVER).began(1, 300, { cpu: 10 }));
  stage.batch((story) =>
    story
      .moved(1, 300, { peer: '10.0.0.7:1000', firstReceived: true, received: 5, sent: 50 })
      .sampled(300, { cpu: 12 }),
  );
  // A day later another client comes: what the server did for others before is not its.
  stage.batch((story) => story.sampled(300, { cpu: 90_000 }), 86_400_000);
  stage.batch((story) => story.sampled(300, { cpu: 90_004 }), 1000);
  stage.batch(
    (story) =>
      story
        .sampled(300, { cpu: 90_040 })
        .moved(1, 300, { peer: '10.0.0.8:1000', firstReceived: true, received: 5, sent: 50, first: stage.nowMs - 100 }),
    1000,
  );
  const late = stage.flows.find(({ client }) => client.address === '10.0.0.8');
  assert.ok(late);
  stage.batch((story) => story.sampled(300, { cpu: 90_050 }), 1000);
  assert.equal(usageOf(stage, late.server)?.cpuTimeMs, 46);
});

test('a datagram flow that ends by silence has its usage up to its last message', () => {
  const stage = new Stage().batch((story) => story.seen(300, 'named').opened(1, SERVER).began(1, 300, { cpu: 10 }));
  const peer = '10.0.0.7:1000';
  stage.batch((story) => story.moved(1, 300, { peer, firstReceived: true, received: 5 }));
  stage.batch(
    (story) => story.sampled(300, { cpu: 30 }).moved(1, 300, { peer, firstReceived: true, received: 9, sent: 9 }),
    1000,
  );
  const endMs = stage.nowMs;
  for (let second = 0; second < 40; second++) stage.batch((story) => story.sampled(300, { cpu: 1000 * second }), 1000);
  assert.equal(stage.flow.endReason, 'IDLE');
  assert.deepEqual(usageOf(stage, stage.flow.server)?.window, window(10_040, endMs));
  assert.equal(usageOf(stage, stage.flow.server)?.cpuTimeMs, 20);
  assert.equal(usageNotes(stage), '');
});

test('a datagram socket that closes ends the windows of all its flows', () => {
  const stage = new Stage().batch((story) =>
    story.seen(300, 'named').opened(1, SERVER).began(1, 300, { cpu: 10, memory: 5 }),
  );
  stage.batch((story) =>
    story
      .moved(1, 300, { peer: '10.0.0.7:1000', firstReceived: true, received: 5 })
      .moved(1, 300, { peer: '10.0.0.8:1000', firstReceived: true, received: 5 }),
  );
  stage.batch((story) => story.sampled(300, { cpu: 12 }), 100);
  stage.batch((story) => story.stopped(1, 300, { cpu: 17, peak: 70 }).ended(1, SERVER), 500);
  for (const flow of stage.flows) {
    assert.equal(usageOf(stage, flow.server)?.cpuTimeMs, 7);
    assert.equal(usageOf(stage, flow.server)?.peakMemoryBytes, 70 * MIB);
  }
});

test('what a process spent in all and lately', () => {
  const stage = new Stage().batch((story) => story.fork([500, 10_030], 1).exec([500, 10_030], 'cc'));
  const process = stage.process(500);
  assert.equal(stage.correlator.totalUsage(process), null);
  stage.batch((story) => story.sampled([500, 10_030], { cpu: 100, user: 60, peak: 50 }), 1000);
  assert.equal(stage.correlator.currentUsage(process), null);
  stage.batch((story) => story.sampled([500, 10_030], { cpu: 600, user: 60, memory: 40, peak: 45 }), 1000);
  const current = stage.correlator.currentUsage(process);
  assert.equal(current?.averageCpuLoadPercent, 50);
  assert.equal(current.peakMemoryBytes, 45 * MIB);
  const total = stage.correlator.totalUsage(process);
  assert.deepEqual([total?.cpuTimeMs, total?.userMs, total?.systemMs], [600, 60, 540]);
  assert.equal(total?.peakMemoryBytes, 50 * MIB);
  assert.deepEqual(total.window, window(10_030, stage.nowMs));
  stage.batch((story) => story.exit([500, 10_030], { totals: { cpu: 700, user: 100, peak: 55, minor: 9 } }), 400);
  const final = stage.correlator.totalUsage(process);
  assert.deepEqual([final?.cpuTimeMs, final?.userMs, final?.minorFaults], [700, 100, 9]);
  assert.deepEqual([final?.memoryBytes, final?.peakMemoryBytes], [null, 55 * MIB]);
  assert.deepEqual(final?.window, window(10_030, stage.nowMs));
  assert.equal(stage.correlator.currentUsage(process), null);
});

test('a process from before the agent may have had more memory than any sample saw', () => {
  const stage = new Stage().batch((story) => story.seen(7, 'old').sampled(7, { cpu: 5 }));
  const total = stage.correlator.totalUsage(stage.process(7));
  assert.equal(total?.cpuTimeMs, 5);
  assert.equal(total.peakMemoryBytes, null);
});

test('samples of processes that nobody has told of make no processes', () => {
  const stage = new Stage().batch((story) => story.sampled(77, { cpu: 5 }));
  assert.deepEqual(stage.facts(), []);
});

test('samples are facts', () => {
  const stage = new Stage().batch((story) => story.seen(7, 'old').sampled(7, { cpu: 5 }));
  assert.deepEqual(stage.facts(), ['STARTED 7 old', 'SAMPLED 7 old']);
  stage.batch((story) => story.sampled(7, { cpu: 5, at: stage.nowMs - 20 }));
  assert.deepEqual(stage.facts(), [], 'an older reading is no news');
});
