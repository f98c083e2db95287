import assert from 'node:assert/strict';
import test from 'node:test';
import { EPOCH_MS, Stage } from './dsl.js';

const micros = (ms: number): number => (EPOCH_MS + ms) * 1000;

/** What ran between two times, as `hog 300 [1000 2000]`: CPU ms, and the window in ms of the stage. */
function ran(stage: Stage, fromMs: number, toMs: number): string[] {
  return stage.correlator
    .ranWithin(micros(fromMs), micros(toMs))
    .map(({ process, usage: { cpuTimeMs, window } }) => {
      const ms = (at: number): number => at / 1000 - EPOCH_MS;
      return `${process.name} ${String(cpuTimeMs)} [${ms(window.from)} ${ms(window.to)}]`;
    })
    .sort();
}

/** Three processes; hog takes 300 ms a second, idle nothing, server 10 ms. Sampled at 20 500, 21 500 and 22 500 ms. */
function sampled(): Stage {
  const stage = new Stage();
  stage.nowMs = 20_480;
  for (let tick = 0; tick < 3; tick++) {
    stage.batch(
      (story) => {
        if (tick === 0) story.seen(10, 'hog').seen(11, 'idle').seen(12, 'server');
        story
          .sampled(10, { cpu: 1000 + 300 * tick, user: 200 * tick, memory: 50, peak: 60 + tick, minor: 5 * tick })
          .sampled(11, { cpu: 7 })
          .sampled(12, { cpu: 10 * tick, waits: 2 * tick });
      },
      tick === 0 ? 20 : 1000,
    );
  }
  return stage;
}

test('between the two latest samples it is the part of what was spent from one to the other', () => {
  const stage = sampled();
  assert.deepEqual(ran(stage, 21_700, 21_950), ['hog 75 [21700 21950]', 'server 2.5 [21700 21950]']);
  const [part] = stage.correlator.ranWithin(micros(21_700), micros(21_950));
  assert.deepEqual([part?.usage.minorFaults, part?.usage.averageCpuLoadPercent], [1, 30]);
  assert.equal(part?.usage.peakMemoryBytes, null, 'the highest of the interval may have been outside');
  const [hog] = stage.correlator.ranWithin(micros(21_500), micros(22_500));
  assert.deepEqual(
    [
      hog?.usage.userMs,
      hog?.usage.systemMs,
      hog?.usage.minorFaults,
      hog?.usage.memoryBytes,
      hog?.usage.peakMemoryBytes,
    ],
    [200, 100, 5, 50 * 1024 * 1024, 62 * 1024 * 1024],
  );
  assert.equal(hog?.usage.averageCpuLoadPercent, 30);
});

test('before the sample after it, an exchange has what was spent up to the latest', () => {
  const stage = sampled();
  assert.deepEqual(ran(stage, 22_400, 22_900), ['hog 30 [22400 22500]', 'server 1 [22400 22500]']);
  assert.deepEqual(ran(stage, 22_600, 22_900), [], 'nothing is known yet of what began later');
  assert.deepEqual(ran(new Stage(), 0, 1e6), []);
});

test('what is older, or longer, comes from the series, and of the outer steps a part', () => {
  const stage = sampled();
  assert.deepEqual(ran(stage, 21_100, 21_200), ['hog 30 [21100 21200]', 'server 1 [21100 21200]']);
  // The first step is known from its middle on: what was spent in half of it is taken for what was spent in all of it.
  assert.deepEqual(ran(stage, 20_900, 21_200), ['hog 75 [20900 21200]', 'server 2.5 [20900 21200]']);
  assert.deepEqual(ran(stage, 20_600, 22_400), ['hog 480 [20600 22400]', 'server 16 [20600 22400]']);
});

test('who started meanwhile counts from its start, who exited until its exit', () => {
  const stage = sampled();
  stage.batch(
    (story) =>
      story
        .fork([20, 22_600], 10)
        .exec([20, 22_600], 'young')
        .fork([21, 22_700], 10)
        .exec([21, 22_700], 'short')
        .exit([21, 22_700], { totals: { cpu: 50, user: 40 } }),
    400,
  );
  stage.batch((story) => story.sampled([20, 22_600], { cpu: 90 }).sampled(10, { cpu: 1900 }), 600);
  const lines = ran(stage, 22_550, 23_000);
  assert.ok(lines.includes('hog 135 [22550 23000]'), String(lines));
  assert.ok(lines.includes('young 40 [22600 23000]'), String(lines));
  assert.ok(lines.includes('short 50 [22700 22900]'), String(lines));
  assert.equal(lines.length, 3, 'and nobody that was not read since');
  assert.deepEqual(
    ran(stage, 22_950, 23_400).filter((line) => line.startsWith('short')),
    [],
    'it was gone by then',
  );
});

test('what was there before the agent counts from its first sample', () => {
  const stage = new Stage();
  stage.batch((story) => story.seen(10, 'old').sampled(10, { cpu: 60_000 }), 1000);
  assert.deepEqual(ran(stage, stage.nowMs - 10, stage.nowMs), []);
  stage.batch((story) => story.sampled(10, { cpu: 60_005 }), 1000);
  assert.deepEqual(ran(stage, stage.nowMs - 10, stage.nowMs), [`old 0.05 [${stage.nowMs - 10} ${stage.nowMs}]`]);
});

test('an answer follows what comes after it', () => {
  const stage = sampled();
  assert.equal(ran(stage, 22_400, 22_900).length, 2);
  stage.batch((story) => story.sampled(10, { cpu: 2000 }).sampled(12, { cpu: 500 }), 1000);
  assert.deepEqual(ran(stage, 22_600, 22_900), ['hog 120 [22600 22900]', 'server 144 [22600 22900]']);
});
