/** The running program: how it stops, what a signal changes, what it records, what the filters leave out. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { temporaryDirectory } from '../temporary.js';
import {
  Agent,
  across,
  agentFlags,
  assertShown,
  Child,
  conversations,
  eventually,
  flowsOf,
  Generator,
  makeNamespacePair,
  skipWithoutBpf,
  type FlowView,
  type Options,
  type Report,
} from './harness/index.js';

const skip = await skipWithoutBpf('stopping, reloading, recording and filters of the running agent');
const NOBODY = 65534;
const main = fileURLToPath(new URL('../../src/main.js', import.meta.url));

describe('SIGTERM', { skip }, () => {
  test('ends live flows as FORCED for those who listen, and the agent with 0', async () => {
    const agent = await Agent.start();
    const generator = await Generator.start('tcp_stream');
    const report = await generator.report();
    await assertShown(agent, generator, report, { state: 'OPEN' });
    const port = report.sockets[0]?.side === 'server' ? report.sockets[0].localPort : report.sockets[0]?.remotePort;
    const events = await agent.stream(`/v1/flows/stream?serverPort=${port}`, { accept: 'application/x-ndjson' });
    const ended = agent.stop();
    let text = '';
    for await (const chunk of events) text += String(chunk);
    assert.deepEqual(await ended, { code: 0, signal: null });
    const last = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter((line) => JSON.stringify(line).includes('FORCED'));
    assert.equal(last.length, 1, text);
    assert.ok(!existsSync(join(agent.directory, 'api.sock')), 'the unix socket is removed');
    await generator.finish();
  });
});

describe('signals while it starts', { skip }, () => {
  test('do not keep the kernel from taking the programs', async () => {
    const directory = temporaryDirectory();
    const pidFile = join(directory, 'pid');
    const started = Agent.start({ directory, prefix: ['sh', '-c', `echo $$ > ${pidFile} && exec "$@"`, 'sh'] });
    // It listens, and has its handlers, before the programs are loaded.
    await eventually(() => assert.ok(existsSync(join(directory, 'api.sock'))));
    const pid = Number(readFileSync(pidFile, 'utf8'));
    let left = 400;
    const storm = setInterval(() => left-- > 0 && process.kill(pid, 'SIGHUP'), 5);
    const agent = await started.finally(() => clearInterval(storm));
    assert.equal((await agent.host()).source, 'ebpf');
    assert.deepEqual(await agent.stop(), { code: 0, signal: null });
  });
});

describe('filters in the kernel', { skip }, () => {
  const directory = temporaryDirectory();
  const file = join(directory, 'procflow.yaml');
  const running: Generator[] = [];
  const cgroup = skip === false ? makeCgroup() : { path: '', directory: '' };
  let agent: Agent;

  before(async () => {
    writeFileSync(file, 'capture:\n  pollIntervalMs: 250\n');
    agent = await Agent.start({ flags: ['--config', file] });
  });
  after(async () => {
    for (const generator of running) await generator.finish();
    await agent.stop();
    rmdirSync(cgroup.directory);
  });

  type Traffic = readonly [program: string, options?: Options];
  const cases: [what: string, yaml: string, kept: Traffic, dropped: Traffic][] = [
    ['a port to keep', 'keep: { ports: [7541] }', ['tcp_stream', { port: 7541 }], ['tcp_stream']],
    ['a port to leave out', 'drop: { ports: [7542] }', ['tcp_stream'], ['tcp_stream', { port: 7542 }]],
    ['a port to keep, of datagrams', 'keep: { ports: [7543] }', ['udp', { port: 7543 }], ['udp']],
    ['a port to leave out, of datagrams', 'drop: { ports: [7544] }', ['udp'], ['udp', { port: 7544 }]],
    ['a protocol to keep', 'keep: { protocols: [UDP] }', ['udp'], ['tcp_stream']],
    ['a protocol to leave out', 'drop: { protocols: [UDP] }', ['tcp_stream'], ['udp']],
    [
      'a prefix to keep',
      "keep: { addresses: ['127.0.0.0/8'] }",
      ['tcp_stream', { family: 'mapped' }],
      ['tcp_stream', { family: 'v6' }],
    ],
    ['an address to leave out', "drop: { addresses: ['::1'] }", ['tcp_stream'], ['tcp_stream', { family: 'v6' }]],
    ['all of IPv6 to leave out', "drop: { addresses: ['::/0'] }", ['tcp_stream'], ['tcp_stream', { family: 'v6' }]],
    ['a process to keep', 'keep: { processes: [prefork] }', ['prefork'], ['threads']],
    ['a process to leave out', 'drop: { processes: [udp] }', ['tcp_stream'], ['udp']],
    ['a user to keep', 'keep: { users: [nobody] }', ['tcp_stream', { 'as-uid': NOBODY }], ['tcp_stream']],
    ['a user to leave out', `drop: { users: [${NOBODY}] }`, ['udp'], ['udp', { 'as-uid': NOBODY }]],
    [
      'a cgroup to keep',
      `keep: { cgroups: [${cgroup.path}] }`,
      ['tcp_stream', { cgroup: cgroup.directory }],
      ['tcp_stream'],
    ],
    ['a cgroup to leave out', `drop: { cgroups: [${cgroup.path}] }`, ['udp'], ['udp', { cgroup: cgroup.directory }]],
  ];
  for (const [what, yaml, kept, dropped] of cases) {
    test(`${what}, taken over on SIGHUP`, () => assertFiltered(yaml, kept, dropped));
  }

  test('loopback to leave out, taken over on SIGHUP', async () => {
    const pair = await makeNamespacePair();
    await assertFiltered('loopback: false', ['tcp_stream', across(pair)], ['tcp_stream']);
    await pair.remove();
  });

  async function assertFiltered(yaml: string, kept: Traffic, dropped: Traffic): Promise<void> {
    const reloads = agent.log.split('configuration read again').length;
    writeFileSync(file, `capture:\n  pollIntervalMs: 250\n  filter: { ${yaml} }\n`);
    agent.signal('SIGHUP');
    await eventually(() => assert.equal(agent.log.split('configuration read again').length, reloads + 1));
    // What is shown now was met by the filter: the thread that captures has it.
    await show(kept);
    const without = await start(dropped);
    // What came after it is there, so it would be.
    await show(kept);
    for (const conversation of conversations(without.report)) {
      assert.deepEqual(await flowsOf(agent, conversation, without.generator.startedAt), []);
    }
  }

  test('a configuration that is wrong changes nothing, and the log says why', async () => {
    writeFileSync(file, 'capture:\n  filter: { keep: { prots: [1] } }\n');
    agent.signal('SIGHUP');
    await eventually(() => assert.match(agent.log, /configuration not read again: .*prots/));
    assert.equal((await agent.get('/readyz')).status, 200);
  });

  async function show([program, options]: Traffic): Promise<void> {
    const generator = await Generator.start(program, options);
    await assertShown(agent, generator, await generator.report());
    await generator.finish();
  }

  async function start([program, options]: Traffic): Promise<{ generator: Generator; report: Report }> {
    const generator = await Generator.start(program, options);
    running.push(generator);
    return { generator, report: await generator.report() };
  }
});

describe("the agent's own traffic", { skip }, () => {
  for (const keep of [false, true]) {
    test(keep ? 'is shown when it is to be kept' : 'is left out by default', async () => {
      const agent = await Agent.start({
        flags: ['--capture-poll-interval-ms', '250', ...(keep ? ['--capture-keep-own-traffic'] : [])],
      });
      const generator = await Generator.start('tcp_stream');
      const answer = await fetch(`http://127.0.0.1:${agent.port}/readyz`);
      assert.equal(answer.status, 200);
      const report = await generator.report();
      await assertShown(agent, generator, report);
      await eventually(async () => {
        assert.equal((await agent.flows({ serverPort: { eq: agent.port } })).length, keep ? 1 : 0);
      });
      await generator.finish();
      await agent.stop();
    });
  }
});

describe('a recording', { skip }, () => {
  const directory = temporaryDirectory();
  const file = join(directory, 'traffic.rec');
  const reports: { generator: Generator; report: Report }[] = [];
  let live: FlowView[];

  before(async () => {
    const agent = await Agent.start();
    const recorder = new Child(process.execPath, [main, 'record', file, ...agentFlags(directory)], {
      env: { PATH: process.env['PATH'] },
    });
    // It has the kernel's attention when what was there is in the file.
    await eventually(() => assert.ok(statSync(file).size > 1000));
    for (const [program, options] of [
      ['tcp_stream', { family: 'v6' }],
      ['udp', { peers: 10 }],
      ['prefork'],
      ['tcp_end', { how: 'refused' }],
    ] as [string, Record<string, string | number>?][]) {
      const generator = await Generator.start(program, options);
      const report = await generator.report();
      await generator.finish();
      reports.push({ generator, report });
    }
    live = await shownBy(agent);
    recorder.process.kill('SIGINT');
    assert.deepEqual(await recorder.ended, { code: 0, signal: null }, recorder.stderr);
    await agent.stop();
  });

  for (const speed of ['full', 'real']) {
    test(`replayed at ${speed} speed gives the same flows`, async () => {
      const agent = await Agent.start({ flags: ['--replay', file, '--speed', speed] });
      assert.equal((await agent.host()).source, 'replay');
      const replayed = await shownBy(agent);
      assert.deepEqual(replayed.map(comparable), live.map(comparable));
      await agent.stop();
    });
  }

  test('that ends early is replayed to its last good batch, and the log says so', async () => {
    const cut = join(directory, 'cut.rec');
    writeFileSync(cut, readFileSync(file));
    truncateSync(cut, statSync(file).size - 7);
    const agent = await Agent.start({ flags: ['--replay', cut, '--speed', 'full'] });
    await eventually(() => assert.match(agent.log, /damaged .* after \d+ good batches: the file ends/));
    const [first] = reports;
    assert.ok(first);
    await assertShown(agent, first.generator, first.report);
    await agent.stop();
  });

  test('that is no recording is refused', async () => {
    const other = join(directory, 'other.rec');
    writeFileSync(other, 'no recording at all, but long enough to be one');
    const { code, stderr } = await replayToEnd(other);
    assert.notEqual(code, 0);
    assert.match(stderr, /recording/i);
    assert.doesNotMatch(stderr, /\n +at /);
  });

  async function shownBy(agent: Agent): Promise<FlowView[]> {
    const all: FlowView[] = [];
    for (const { generator, report } of reports)
      all.push(...(await assertShown(agent, generator, report, { state: 'ENDED' })));
    return all;
  }

  /** What does not depend on when the flow was read, nor on each agent's own reading of the clocks. */
  function comparable({ id, communityId, protocol, direction, endReason, client, server }: FlowView): object {
    return { id, communityId, protocol, direction, endReason, client, server };
  }

  async function replayToEnd(recording: string): Promise<{ code: number | null; stderr: string }> {
    const child = new Child(process.execPath, [
      main,
      'run',
      '--replay',
      recording,
      '--speed',
      'full',
      ...agentFlags(directory),
    ]);
    const giveUp = setTimeout(() => child.process.kill('SIGKILL'), 30_000);
    const { code } = await child.ended;
    clearTimeout(giveUp);
    return { code, stderr: child.stderr };
  }
});

/** An empty cgroup of this test's own. */
function makeCgroup(): { readonly path: string; readonly directory: string } {
  const line = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .find((text) => text.includes(' - cgroup2 '));
  const mount = line?.split(' ')[4];
  assert.ok(mount, 'cgroup v2 is mounted');
  const path = `/procflow-test-${process.pid}`;
  mkdirSync(join(mount, path));
  return { path, directory: join(mount, path) };
}
