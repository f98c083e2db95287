import assert from 'node:assert/strict';
import test from 'node:test';
import { AGENT_START_MS, EPOCH_MS, line, Stage, type Story } from './dsl.js';

const flow = (story: Story, cookie: number, opener: number | readonly [number, number]): Story =>
  story.opened(cookie, { from: `10.0.0.1:${cookie}`, to: '192.0.2.1:80', opener, creator: opener });

test('a life: fork, exec, change, exit', () => {
  const stage = new Stage().batch((story) =>
    story.seen(100, 'bash', { uid: 1000, exe: '/bin/bash', args: ['-bash'], cgroup: '/user.slice/session-3.scope' }),
  );
  stage.batch((story) => story.fork([11_000, 10_030], 100));
  const child = stage.process(11_000);
  assert.equal(child.name, 'bash');
  assert.equal(child.uid, 1000, 'a fork has what its parent has');
  assert.equal(child.unit, 'session-3.scope');
  assert.equal(child.parent?.pid, 100);
  assert.deepEqual([...stage.process(100).children], [child]);
  assert.equal(child.images.length, 0);
  stage.batch((story) =>
    story.exec([11_000, 10_030], 'curl', { parent: 100, uid: 1000, args: ['curl', '-s', 'http://x/'] }),
  );
  assert.deepEqual([child.name, child.executable, child.arguments], ['curl', '/bin/curl', ['curl', '-s', 'http://x/']]);
  assert.deepEqual(
    child.images.map((image) => image.name),
    ['curl'],
  );
  stage.batch((story) => story.changed([11_000, 10_030], { uid: 33 }));
  assert.deepEqual([child.uid, child.name], [33, 'curl']);
  stage.batch((story) => story.exit([11_000, 10_030], { code: 7, uid: 33 }));
  assert.deepEqual([child.exitCode, child.exitSignal], [7, null]);
  assert.equal(child.endMicros, (EPOCH_MS + stage.nowMs) * 1000);
  assert.equal(child.startMicros, (EPOCH_MS + 10_030) * 1000);
  assert.deepEqual([stage.process(100).startedBefore, child.startedBefore], [true, false]);
  assert.deepEqual(stage.facts(), [
    'STARTED 100 bash',
    'STARTED 11000 bash',
    'EXECUTED 11000 curl',
    'EXITED 11000 curl',
  ]);
  assert.equal(stage.correlator.process(child.id), child);
});

test('a process that was killed has the signal and no code', () => {
  const stage = new Stage().batch((story) => story.seen(100, 'sleep')).batch((story) => story.exit(100, { signal: 9 }));
  assert.deepEqual([stage.process(100).exitSignal, stage.process(100).exitCode], ['SIGKILL', null]);
});

test('a life within one batch: its flow knows it, and its exit comes last', () => {
  const stage = new Stage().batch((story) => story.seen(1, 'init'));
  stage.facts();
  stage.batch((story) =>
    flow(story.fork(500, 1).exec(500, 'curl').exit(500), 9, 500).ended(9, {
      from: '10.0.0.1:9',
      to: '192.0.2.1:80',
      closer: 500,
    }),
  );
  assert.deepEqual(stage.facts(), [
    'STARTED 500 init',
    'EXECUTED 500 curl',
    'STARTED curl→?',
    'ENDED curl→?',
    'EXITED 500 curl',
  ]);
});

test('a process that only a flow refers to is there, and named when more is known', () => {
  const stage = new Stage().batch((story) => flow(story, 1, 700));
  assert.equal(line(stage.flow), 'TCP 10.0.0.1:1  →0 ←0 192.0.2.1:80 ? OPEN OUTBOUND');
  assert.deepEqual(stage.facts(), ['STARTED 700', 'STARTED →?']);
  stage.batch((story) => story.seen(700, 'late', { exe: '/bin/late', uid: 5 }));
  assert.deepEqual([stage.flow.client.process?.name, stage.flow.client.process?.uid], ['late', 5]);
  assert.deepEqual(
    stage.flow.client.process?.images.map((image) => image.executable),
    ['/bin/late'],
  );
  assert.deepEqual(stage.facts(), []);
});

test('an exec whose fork was lost makes the process', () => {
  const stage = new Stage()
    .batch((story) => flow(story, 1, 700))
    .batch((story) => story.exec(700, 'curl', { parent: 1 }));
  assert.equal(stage.flow.client.process?.name, 'curl');
});

test('a parent that appears later is linked; one that never does is null', () => {
  const stage = new Stage().batch((story) =>
    story.exec(500, 'curl', { parent: 400 }).exec(501, 'wget', { parent: 401 }),
  );
  assert.equal(stage.process(500).parent, null);
  stage.batch((story) => story.seen(400, 'bash').seen([401, 5], 'other'));
  assert.equal(stage.process(500).parent?.name, 'bash');
  assert.deepEqual([...stage.process(400).children], [stage.process(500)]);
  assert.equal(stage.process(501).parent, null, 'another life of the pid is no parent');
});

test('a pid that is used again is another process, and the old one has ended', () => {
  const stage = new Stage().batch((story) => flow(story.seen([700, 1], 'old'), 1, [700, 1]));
  stage.batch((story) => flow(story.fork([700, 10_050], 1).exec([700, 10_050], 'new'), 2, [700, 10_050]));
  assert.deepEqual(
    stage.flows.map((each) => each.client.process?.name),
    ['old', 'new'],
  );
  const [old, young] = stage.flows.map((each) => each.client.process);
  assert.notEqual(old?.id, young?.id);
  assert.equal(old?.endMicros, (EPOCH_MS + stage.nowMs) * 1000);
  assert.equal(old.exitCode, null);
  assert.equal(young?.endMicros, null);
  assert.deepEqual([old.flows.size, young.flows.size], [1, 1]);
});

test('a late reference to an old life of a pid makes no living process', () => {
  const stage = new Stage().batch((story) => story.seen([700, 5000], 'new'));
  stage.batch((story) => flow(story, 1, [700, 1]));
  assert.equal(stage.flow.client.process?.startNs, 1e6);
  assert.notEqual(stage.flow.client.process.endMicros, null);
  assert.equal(stage.process(700).endMicros, null);
});

test('the exit of a pid’s old life is known even when the new one is told of first', () => {
  const stage = new Stage().batch((story) => story.seen([700, 1], 'old'));
  stage.batch((story) => story.fork([700, 10_050], 1).exit([700, 1], { code: 3 }));
  const old = [...stage.correlator.processes()].find((process) => process.startNs === 1e6);
  assert.equal(old?.exitCode, 3);
  assert.equal(stage.process(700).endMicros, null);
  assert.equal(stage.facts().filter((fact) => fact.startsWith('EXITED')).length, 1);
});

test('containers and units come from the cgroup', () => {
  const id = 'ab'.repeat(32);
  const stage = new Stage().batch((story) => story.seen(100, 'nginx', { cgroup: `/system.slice/docker-${id}.scope` }));
  assert.deepEqual(stage.process(100).container, { id, runtime: 'docker', podUid: null });
  stage.batch((story) => story.changed(100, { cgroup: '/system.slice/nginx.service' }));
  assert.deepEqual([stage.process(100).container, stage.process(100).unit], [null, 'nginx.service']);
});

test('hostile names are printable, secrets are masked', () => {
  const stage = new Stage({ processes: { keepExitedMs: 0, keepExitedMax: 0, redact: ['--token=(\\S+)'] } });
  stage.batch((story) =>
    story.seen(100, '', { name: Uint8Array.of(0x1b, 0x5b, 0x41, 0xff), args: ['x', '--token=s3cret'] }),
  );
  assert.equal(stage.process(100).name, '\\x1b[A\\xff');
  assert.deepEqual(stage.process(100).arguments, ['x', '--token=***']);
  assert.deepEqual(stage.process(100).images[0]?.arguments, ['x', '--token=***']);
});

test('a process that execs without end keeps its latest images', () => {
  const stage = new Stage().batch((story) => story.seen(100, 'first'));
  for (let i = 0; i < 100; i++) stage.batch((story) => story.exec(100, `x${i}`));
  assert.equal(stage.process(100).images.length, 64);
  assert.equal(stage.process(100).images.at(-1)?.name, 'x99');
});

test('an exited process stays as long as a remembered flow refers to it, then goes with it', () => {
  const stage = new Stage({ processes: { keepExitedMs: 1000, keepExitedMax: 100, redact: [] } });
  stage.batch((story) => flow(story.seen(100, 'curl').seen(101, 'idle'), 1, 100));
  stage.batch((story) => story.exit(100).exit(101)).wait(2000);
  assert.deepEqual(
    [...stage.correlator.processes()].map((process) => process.name),
    ['curl'],
  );
  stage.batch((story) => story.ended(1, { from: '10.0.0.1:1', to: '192.0.2.1:80' })).wait(59_000);
  assert.equal([...stage.correlator.processes()].length, 1);
  stage.wait(2000);
  assert.equal([...stage.correlator.processes()].length, 0);
  assert.equal(stage.correlator.sizes().flows, 0);
});

test('at most so many exited processes and ended flows are remembered', () => {
  const stage = new Stage({
    flows: { idleTimeoutMs: 30_000, keepEndedMs: 60_000, keepEndedMax: 3, maxLive: 100 },
    processes: { keepExitedMs: 60_000, keepExitedMax: 2, redact: [] },
  });
  for (let i = 1; i <= 10; i++) {
    stage.batch((story) =>
      flow(story.seen(i, `p${i}`), 100 + i, i)
        .ended(100 + i, { from: `10.0.0.1:${100 + i}`, to: '192.0.2.1:80' })
        .exit(i),
    );
  }
  assert.deepEqual(
    stage.flows.map((each) => each.client.process?.name),
    ['p8', 'p9', 'p10'],
  );
  assert.equal([...stage.correlator.processes()].length, 3);
});

test('a chain of short-lived parents is let go', () => {
  const stage = new Stage({ processes: { keepExitedMs: 0, keepExitedMax: 0, redact: [] } }).batch((story) =>
    story.seen(1, 'init'),
  );
  for (let pid = 20_000; pid < 20_050; pid++) {
    stage.batch((story) => story.fork(pid, pid === 20_000 ? 1 : pid - 1));
    if (pid > 20_000) stage.batch((story) => story.exit(pid - 1));
  }
  let depth = 0;
  for (let each = stage.process(20_049).parent; each !== null; each = each.parent) depth++;
  assert.equal(depth, 1, 'the parent is still known by name');
  assert.equal([...stage.correlator.processes()].length, 2);
});

test('a process that is forgotten does not come back because a socket names it as its maker', () => {
  const stage = new Stage({ processes: { keepExitedMs: 0, keepExitedMax: 0, redact: [] } });
  const udp = { protocol: 17, from: '10.0.0.1:53', creator: 300 };
  stage.batch((story) =>
    flow(story.seen(300, 'maker').seen(301, 'worker'), 1, 300)
      .update(1, { from: '10.0.0.1:1', to: '192.0.2.1:80', mover: 301 })
      .listens(2, ':80', { creator: 300 })
      .opened(3, udp)
      .moved(3, 300, { peer: '192.0.2.1:9', sent: 1 }),
  );
  stage
    .batch((story) => story.exit(300))
    .wait(60_000)
    .wait(60_000);
  stage.batch((story) =>
    story
      .update(1, { from: '10.0.0.1:1', to: '192.0.2.1:80', creator: 300, opener: 300, mover: 301 })
      .update(2, { from: ':80', listener: true, creator: 300, mover: 300 })
      .update(3, udp)
      .moved(3, 300, { peer: '192.0.2.1:9', sent: 1 }),
  );
  const maker = [...stage.correlator.processes()].filter((process) => process.pid === 300);
  assert.equal(maker.length, 1, 'it made the socket of a live flow');
  stage.batch((story) => story.ended(1, { from: '10.0.0.1:1', to: '192.0.2.1:80' })).wait(61_000);
  stage.batch((story) => story.update(2, { from: ':80', listener: true, creator: 300, mover: 300 }).update(3, udp));
  assert.deepEqual(
    [...stage.correlator.processes()].map((process) => process.name),
    ['worker'],
  );
});

test('an exit row does not need to know the user', () => {
  const stage = new Stage().batch((story) => story.seen(100, 'sleep', { uid: 1000 })).batch((story) => story.exit(100));
  assert.equal(stage.process(100).uid, 1000);
});

test('ids are stable and differ by boot', () => {
  const id = (bootId: string): string => {
    const host = { id: 'h', name: 'n', bootId, kernel: '', agentVersion: '', agentPid: 1, startMicros: 0 };
    const stage = new Stage({ host }).batch((story) => flow(story.seen(100, 'curl'), 1, 100));
    return `${stage.flow.id} ${stage.process(100).id}`;
  };
  assert.equal(id('a'), id('a'));
  assert.notEqual(id('a'), id('b'));
  assert.match(id('a'), /^f_[\w-]+ p_[\w-]+$/);
});

test('the agent started at the time of its first batch', () => {
  const stage = new Stage().batch((story) =>
    story.seen([5, AGENT_START_MS + 10], 'before').seen([6, AGENT_START_MS + 30], 'after'),
  );
  assert.deepEqual([stage.process(5).startedBefore, stage.process(6).startedBefore], [true, false]);
});

test('a worker that changed its user after its fork is known by its first message', () => {
  const stage = new Stage()
    .batch((story) => story.seen(100, 'nginx', { uid: 0 }).fork([200, 10_000], 100))
    .batch((story) => flow(story, 1, [200, 10_000]).moved(1, [200, 10_000], { sent: 5, uid: 33 }));
  assert.deepEqual([stage.process(200).uid, stage.process(100).uid], [33, 0]);
  stage.batch((story) => story.changed([200, 10_000], { uid: 34 }).moved(1, [200, 10_000], { sent: 6, uid: 33 }));
  assert.equal(stage.process(200).uid, 34, 'what a later row says is as old as the first message');
});
