import assert from 'node:assert/strict';
import test from 'node:test';
import type { CorrelatorOptions } from '../../src/correlate/index.js';
import { noteCodes } from '../../src/correlate/model.js';
import { SeriesValues, stepsOf } from '../../src/correlate/series/values.js';
import { EPOCH_MS, Stage, type ReadingWords, type Story } from './dsl.js';

const MIB = 1024 * 1024;
const SECOND = 1000;
const CLIENT = { from: '10.0.0.1:5000', to: '192.0.2.9:443' };
const OTHERS = { from: '10.0.0.1:5001', to: '192.0.2.9:443' };

type Key = number | readonly ['executable' | 'user' | 'container' | 'host', string | number];

/** The series of a process by its pid, or of a group, over the steps from one boot time to another. */
function series(stage: Stage, of: Key, fromMs: number, toMs: number, stepMs = SECOND): SeriesValues {
  const { correlator } = stage;
  const track = typeof of === 'number' ? stage.process(of).meter?.track : correlator.group(of[0], of[1])?.track;
  const fromMicros = (EPOCH_MS + fromMs) * 1000;
  const toMicros = (EPOCH_MS + toMs) * 1000;
  const steps = stepsOf(correlator.series, { fromMicros, toMicros, stepMicros: stepMs * 1000 }, correlator.nowMicros());
  assert.equal(steps.fromMicros, fromMicros);
  return new SeriesValues(correlator.series, track ?? null, steps);
}

/** A stage whose samples come each second, `tell` what is new in each; the first is at 11 s of boot time. */
function sampledStage(
  seconds: number,
  tell: (story: Story, second: number) => unknown,
  options: Partial<CorrelatorOptions> = {},
): Stage {
  const stage = new Stage(options);
  stage.nowMs = 10_000;
  for (let second = 1; second <= seconds; second++) stage.batch((story) => tell(story, second), SECOND);
  return stage;
}

function line(values: readonly (number | null)[]): string {
  return values.map((value) => (value === null ? '·' : String(Math.round(value * 100) / 100))).join(' ');
}

test('a process has a value for each second, from when it was seen', () => {
  const stage = sampledStage(6, (story, second) => {
    if (second === 1) story.seen(7, 'cc', { exe: '/usr/bin/cc', uid: 5 });
    story.sampled(7, {
      cpu: 1000 + 500 * second,
      user: 400 * second,
      memory: 10 + second,
      minor: 3 * second,
      major: second,
      io: 100 * second,
      read: 4096 * second,
      written: 512 * second,
      waits: 2 * second,
      preempted: second,
    });
  });
  const values = series(stage, 7, 9_000, 16_000);
  assert.equal(line(values.cpuLoadPercent), '· · 50 50 50 50 50');
  assert.equal(line(values.userLoadPercent), '· · 40 40 40 40 40');
  assert.equal(line(values.systemLoadPercent), '· · 10 10 10 10 10');
  assert.equal(line(values.ioWaitPercent), '· · 10 10 10 10 10');
  assert.equal(line(values.minorFaults), '· · 3 3 3 3 3');
  assert.equal(line(values.majorFaults), '· · 1 1 1 1 1');
  assert.equal(line(values.readBytes), '· · 4096 4096 4096 4096 4096');
  assert.equal(line(values.writtenBytes), '· · 512 512 512 512 512');
  assert.equal(line(values.voluntarySwitches), '· · 2 2 2 2 2');
  assert.equal(line(values.involuntarySwitches), '· · 1 1 1 1 1');
  assert.deepEqual(values.memoryBytes.slice(-3), [13 * MIB, 14 * MIB, 15 * MIB]);
});

test('samples between the steps give each step its part, and nothing is lost by it', () => {
  const stage = new Stage();
  stage.nowMs = 10_300;
  for (let i = 0; i < 8; i++) {
    stage.batch((story) => (i === 0 ? story.seen(7, 'cc') : story).sampled(7, { cpu: 100 * i, minor: 7 * i }), SECOND);
  }
  const values = series(stage, 7, 12_000, 18_000);
  assert.equal(line(values.cpuLoadPercent), '10 10 10 10 10 10');
  const faults = values.minorFaults;
  assert.ok(faults.every((value) => Number.isInteger(value)));
  assert.equal(
    faults.reduce<number>((sum, value) => sum + (value ?? 0), 0),
    6 * 7,
  );
});

test('when no sample came in time there is a gap, and what was spent meanwhile is in no step', () => {
  const stage = sampledStage(20, (story, second) => {
    if (second === 1) story.seen(7, 'cc');
    if (second <= 6 || second >= 12) story.sampled(7, { cpu: 100 * second });
  });
  assert.equal(
    line(series(stage, 7, 12_000, 30_000).cpuLoadPercent),
    '10 10 10 10 · · · · · · 10 10 10 10 10 10 10 10',
  );
});

test('samples that come early are no measure for those that come in time', () => {
  const stage = new Stage({
    series: { retentionMs: 900_000, stepMs: SECOND, maxBytes: 64 * MIB, sampleIntervalMs: 10 * SECOND },
  });
  stage.nowMs = 10_000;
  let cpu = 0;
  for (const ms of [10_000, 10_000, 10_000, 250, 250, 250, 10_000]) {
    cpu += ms / 10;
    stage.batch((story) => (cpu === SECOND ? story.seen(7, 'cc') : story).sampled(7, { cpu }), ms);
  }
  assert.equal(line(series(stage, 7, 40_000, 50_000).cpuLoadPercent), Array(10).fill('10').join(' '));
});

test('a process ends with its exit, and counts what it spent until then', () => {
  const stage = sampledStage(4, (story, second) => {
    if (second === 1) story.seen(1, 'init').fork([7, 11_000], 1, { name: 'cc' });
    story.sampled(1, {});
    if (second < 4) story.sampled([7, 11_000], { cpu: 100 * (second - 1) });
  });
  stage.batch((story) => story.exit([7, 11_000], { totals: { cpu: 450, user: 450 } }), 500);
  for (let i = 0; i < 3; i++) stage.batch((story) => story.sampled(1, {}), SECOND);
  // 250 ms in the 1.5 s since its last sample at 13 s.
  assert.equal(line(series(stage, 7, 11_000, 17_000).cpuLoadPercent), '10 10 16.67 8.33 · ·');
});

test('a process that lived between two samples counts for its user, executable, container and the host', () => {
  const id = 'a'.repeat(64);
  const words = { exe: '/bin/true', uid: 9, cgroup: `/docker/${id}` };
  const stage = sampledStage(3, (story, second) => {
    if (second === 1) story.seen(1, 'init');
    story.sampled(1, {});
    if (second !== 2) return;
    story.fork([50, 11_700], 1).exec([50, 11_700], 'true', words);
    story.exit([50, 11_700], { totals: { cpu: 80, user: 20, minor: 44, read: 4096 }, ...words });
  });
  for (const of of [
    ['user', 9],
    ['executable', '/bin/true'],
    ['container', id],
    ['host', 0],
  ] as const) {
    const values = series(stage, of, 11_000, 13_000);
    assert.deepEqual(values.cpuLoadPercent.at(0), 8, of[0]);
    assert.deepEqual(values.minorFaults.at(0), 44, of[0]);
    const usage = stage.correlator.group(of[0], of[1])?.usage;
    assert.deepEqual([usage?.cpuTimeMs, usage?.userMs, usage?.readBytes], [80, 20, 4096], of[0]);
  }
  assert.equal(stage.correlator.totalUsage(stage.process(50))?.cpuTimeMs, 80);
});

test('a last sample at the exit has what totals do not, and is no pass of sampling', () => {
  const stage = sampledStage(4, (story, second) => {
    if (second === 1) story.seen(1, 'init').seen(7, 'cc', { uid: 5 });
    story.sampled(1, { cpu: 100 * second }).sampled(7, { cpu: 10 * second, io: second, waits: second });
  });
  const last = { cpu: 50, io: 9, waits: 11, memory: null };
  stage.batch((story) => story.sampled(7, last).exit(7, { totals: { cpu: 50 } }), 300);
  const total = stage.correlator.totalUsage(stage.process(7));
  assert.deepEqual([total?.cpuTimeMs, total?.ioWaitMs, total?.voluntarySwitches], [50, 9, 11]);
  assert.equal(stage.correlator.group('user', 5)?.usage?.cpuTimeMs, 40);
  const { window } = stage.correlator.group('host', 0)?.current ?? {};
  assert.equal((window?.to ?? 0) - (window?.from ?? 0), 1_000_000);
  stage.batch((story) => story.sampled(1, { cpu: 500 }), 700);
  assert.equal(
    stage.correlator.group('host', 0)?.current?.cpuTimeMs,
    110,
    'the exit counts in the interval in which it was',
  );
});

test('what a source does not tell is null everywhere', () => {
  const stage = sampledStage(4, (story, second) => {
    if (second === 1) story.seen(7, 'cc', { uid: 5 });
    story.sampled(7, { cpu: 10 * second, minor: second, io: null, peak: null, part: true });
  });
  const usages = [
    stage.correlator.totalUsage(stage.process(7)),
    stage.correlator.currentUsage(stage.process(7)),
    stage.correlator.group('user', 5)?.usage,
  ];
  for (const usage of usages) {
    assert.deepEqual([usage?.readBytes, usage?.writtenBytes, usage?.voluntarySwitches], [null, null, null]);
    assert.deepEqual([usage?.involuntarySwitches, usage?.ioWaitMs], [null, null]);
    assert.notEqual(usage?.minorFaults, null);
  }
  const values = series(stage, 7, 11_000, 14_000);
  assert.equal(line(values.cpuLoadPercent), '1 1 1');
  assert.equal(line(values.readBytes), '· · ·');
  assert.equal(line(values.voluntarySwitches), '· · ·');
  assert.equal(line(values.ioWaitPercent), '· · ·');
  // Samples alone are not the tier: the windows of flows need more.
  stage.batch((story) => story.opened(1, { ...CLIENT, opener: 7 }));
  assert.deepEqual(
    noteCodes(stage.correlator.notesOf(stage.flow)).filter((code) => code === 'RESOURCES_TIER_OFF').length,
    1,
  );
});

test('groups are the sums of their processes', () => {
  const busy = (cpu: number, memory: number): ReadingWords => ({ cpu, memory });
  const stage = sampledStage(6, (story, second) => {
    if (second === 1) {
      story.seen(7, 'a', { exe: '/bin/a', uid: 5 }).seen(8, 'a', { exe: '/bin/a', uid: 6 });
      story.seen(9, 'b', { exe: '/bin/b', uid: 6 });
    }
    story
      .sampled(7, busy(100 * second, 1))
      .sampled(8, busy(200 * second, 2))
      .sampled(9, busy(300 * second, 4));
  });
  const load = (of: Key): string => line(series(stage, of, 13_000, 15_000).cpuLoadPercent);
  assert.equal(load(['executable', '/bin/a']), '30 30');
  assert.equal(load(['user', 6]), '50 50');
  assert.equal(load(['host', 0]), '60 60');
  assert.deepEqual(series(stage, ['user', 6], 13_000, 14_000).memoryBytes, [6 * MIB]);
  const user = stage.correlator.group('user', 6);
  assert.equal(user?.current?.averageCpuLoadPercent, 50);
  assert.equal(user.usage?.cpuTimeMs, 500 * 5, 'since the first samples');
  assert.equal(user.usage.memoryBytes, 6 * MIB);
});

test('longer steps add up amounts, average loads and show the highest level, of what is known', () => {
  const stage = sampledStage(30, (story, second) => {
    if (second === 1) story.seen(7, 'cc');
    const memory = second === 13 ? 99 : 10;
    if (second < 21 || second > 25) story.sampled(7, { cpu: 10 * second ** 2, minor: second, memory });
  });
  const values = series(stage, 7, 15_000, 40_000, 5000);
  // Second n takes 10 × (2n − 1) ms.
  assert.equal(line(values.cpuLoadPercent), '15 25 35 · 56');
  assert.equal(line(values.minorFaults), '5 5 5 · 4');
  assert.deepEqual(
    values.memoryBytes.map((bytes) => bytes && bytes / MIB),
    [10, 99, 10, null, 10],
  );
});

test('what flows move counts for the process that moved it', () => {
  const stage = sampledStage(8, (story, second) => {
    if (second === 1) story.seen(7, 'curl', { uid: 5 }).seen(8, 'wget', { uid: 6 });
    story.sampled(7, {}).sampled(8, {});
    const from = { segmentsOut: 2 * second, segmentsIn: second, headerBytes: 20 };
    if (second === 3) story.opened(1, { ...CLIENT, mover: 7, more: { segmentsOut: 0, segmentsIn: 0 } });
    if (second > 3) {
      story.update(1, { ...CLIENT, mover: 7, sent: 1000 * second, received: 200 * second, more: from });
      story.moved(1, 7, { sent: 1000 * second, received: 200 * second });
    }
  });
  const values = series(stage, 7, 15_000, 18_000);
  assert.equal(line(values.sentOctets), '1080 1080 1080');
  assert.equal(line(values.receivedOctets), '240 240 240');
  assert.equal(line(values.sentPackets), '2 2 2');
  assert.equal(line(values.receivedPackets), '1 1 1');
  assert.equal(line(values.connections), '1 1 1');
  assert.equal(line(series(stage, 8, 15_000, 18_000).sentOctets), '0 0 0');
  assert.equal(line(series(stage, ['user', 5], 15_000, 18_000).sentOctets), '1080 1080 1080');
  const moved = stage.process(7).meter?.moved;
  assert.equal(moved?.sentOctets, stage.flow.client.sent.octets);
  assert.equal(moved.receivedOctets, stage.flow.server.sent.octets);
  assert.equal(stage.correlator.group('host', 0)?.moved.sentPackets, stage.flow.client.sent.packets);
});

test('of a socket that two processes share each has its part by payload', () => {
  const stage = new Stage().batch((story) =>
    story
      .seen(7, 'a')
      .seen(8, 'b')
      .opened(1, { ...CLIENT, mover: 7 }),
  );
  stage.batch((story) =>
    story
      .update(1, { ...CLIENT, mover: 7, sent: 1000 })
      .moved(1, 7, { sent: 250 })
      .moved(1, 8, { sent: 750 }),
  );
  const [a, b] = [stage.process(7).meter?.moved, stage.process(8).meter?.moved];
  const octets = stage.flow.client.sent.octets ?? 0;
  assert.equal((a?.sentOctets ?? 0) + (b?.sentOctets ?? 0), octets);
  // What was sent before anybody had moved anything was the owner's.
  const handshake = 2 * 52 + 8;
  assert.equal(b?.sentOctets, Math.round((octets - handshake) * 0.75));
});

test('what a connection moved before the agent came was not moved now', () => {
  const stage = new Stage().batch((story) =>
    story.seen(7, 'old').seenSocket(1, { ...CLIENT, seeded: true, holder: 7, sent: 1e9, received: 1e9 }),
  );
  assert.equal(stage.process(7).meter?.moved.sentOctets, undefined);
  stage.batch((story) => story.update(1, { ...CLIENT, seeded: true, holder: 7, sent: 1e9 + 500, received: 1e9 }));
  assert.equal(stage.process(7).meter?.moved.sentOctets, 500);
});

test('datagrams count, for both ends when both are here', () => {
  const stage = new Stage().batch((story) =>
    story
      .seen(7, 'dig')
      .seen(8, 'named')
      .opened(1, { protocol: 17, from: '127.0.0.1:5000', to: '127.0.0.1:53' })
      .moved(1, 7, { peer: '127.0.0.1:53', sent: 100 })
      .opened(2, { protocol: 17, from: '127.0.0.1:53', listener: true })
      .moved(2, 8, { peer: '127.0.0.1:5000', received: 100, firstReceived: true }),
  );
  stage.batch((story) => story.moved(2, 8, { peer: '127.0.0.1:5000', received: 100, sent: 300 }), 500);
  const [dig, named] = [stage.process(7).meter?.moved, stage.process(8).meter?.moved];
  assert.deepEqual([dig?.sentOctets, dig?.receivedOctets], [128, 328]);
  assert.deepEqual([named?.sentOctets, named?.receivedOctets], [328, 128]);
});

test('ends of live flows are counted, and go with the flow or to the next owner', () => {
  const stage = new Stage().batch((story) =>
    story
      .seen(7, 'inetd')
      .seen(8, 'ftpd')
      .opened(1, { ...CLIENT, opener: 7 })
      .opened(2, { ...OTHERS, opener: 7 }),
  );
  const counts = (): number[] => [stage.process(7).connections, stage.process(8).connections];
  assert.deepEqual(counts(), [2, 0]);
  stage.batch((story) => story.update(1, { ...CLIENT, mover: 8, sent: 1 }).moved(1, 8, { sent: 1 }));
  assert.deepEqual(counts(), [1, 1]);
  stage.batch((story) => story.ended(2, { ...OTHERS, closer: 7 }));
  assert.deepEqual(counts(), [0, 1]);
  stage.correlator.close();
  assert.deepEqual(counts(), [0, 0]);
});

test('sleeping processes take no pages, and when memory is short exited processes and old steps go first', () => {
  const sleepers = Array.from({ length: 200 }, (_, i) => 1000 + i);
  const bytes = (): number => stage.correlator.series.bytes;
  const stage = sampledStage(5, (story, second) => {
    for (const pid of sleepers) {
      if (second === 1) story.seen(pid, 'sleep');
      story.sampled(pid, { cpu: 5 });
    }
  });
  const asleep = bytes();
  assert.ok(asleep < 210 * 1100, String(asleep));

  const tight = sampledStage(
    400,
    (story, second) => {
      for (const pid of sleepers) {
        if (second === 1) story.seen(pid, 'busy');
        if (pid === 1000 && second === 350) story.exit(pid);
        if (pid !== 1000 || second < 350) story.sampled(pid, { cpu: 5 * second, waits: second });
      }
    },
    { series: { retentionMs: 900_000, stepMs: 1000, maxBytes: MIB } },
  );
  assert.ok(tight.correlator.series.bytes <= MIB, String(tight.correlator.series.bytes));
  const lost = tight.correlator.status().losses.find(({ place }) => place === 'seriesPoints');
  assert.ok((lost?.count ?? 0) > 0);
  assert.deepEqual(series(tight, 1001, 11_000, 12_000).cpuLoadPercent, [null]);
  assert.equal(line(series(tight, 1001, 400_000, 403_000).cpuLoadPercent), '0.5 0.5 0.5');
  assert.equal(line(series(tight, ['user', 0], 30_000, 31_000).cpuLoadPercent), '100', 'groups stay');
});

test('series go after the retention, and with their process', () => {
  const stage = sampledStage(
    300,
    (story, second) => {
      if (second === 1) story.seen(7, 'cc', { exe: '/bin/cc' }).seen(8, 'x', { exe: '/bin/x' });
      story.sampled(7, { cpu: 10 * second });
      if (second < 20) story.sampled(8, { cpu: 10 * second });
      if (second === 20) story.exit(8);
    },
    { series: { retentionMs: 60_000, stepMs: 1000, maxBytes: 64 * MIB } },
  );
  assert.equal(stage.correlator.sizes()['processTracks'], 1);
  assert.equal(stage.correlator.group('executable', '/bin/x'), null);
  assert.equal(line(series(stage, 7, 300_000, 303_000).cpuLoadPercent), '1 1 1');
  const { series: store } = stage.correlator;
  const steps = stepsOf(store, { fromMicros: 0, toMicros: null, stepMicros: null }, stage.correlator.nowMicros());
  assert.equal(steps.count, 60);
});

test('a clock that jumps leaves series usable', () => {
  const stage = sampledStage(5, (story, second) => {
    if (second === 1) story.seen(7, 'cc');
    story.sampled(7, { cpu: 10 * second });
  });
  stage.nowMs += 1e9;
  for (let i = 1; i <= 5; i++) stage.batch((story) => story.sampled(7, { cpu: 100 + 20 * i }), SECOND);
  const end = Math.floor(stage.nowMs / 1000) * 1000;
  assert.equal(line(series(stage, 7, end - 3000, end).cpuLoadPercent), '2 2 2');
});
