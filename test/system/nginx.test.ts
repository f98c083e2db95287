/** A web server, with curl, the first thing that a new user tries, and under load. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { temporaryDirectory } from '../temporary.js';
import { Agent, Child, eventually, freePorts, run, skipWithoutBpf } from './harness/index.js';

const NGINX = '/usr/sbin/nginx';
const skip =
  (await skipWithoutBpf('curl and nginx')) ||
  (existsSync(NGINX) ? false : 'nginx is not installed: apt-get install nginx-light');
const directory = temporaryDirectory();
const BODY_BYTES = 1_234_567;
const REQUESTS = 20_000;
const CONNECTIONS = 64;
/** What a load generator does between its clock and its system calls. */
const CLIENT_OVERHEAD_MS = 0.2;
const CLIENT_OVERHEAD_SHARE = 0.1;

interface RestProcess {
  readonly pid: number;
  readonly name: string;
  readonly executable: string;
  readonly commandLine: string;
  readonly user: { readonly name: string };
  readonly parent: { readonly pid: number; readonly name: string };
}
interface RestEnd {
  readonly port: number;
  readonly process: RestProcess;
  readonly sent: { readonly payloadBytes: number };
}
interface RestFlow {
  readonly state: string;
  readonly endReason: string | null;
  readonly direction: string;
  readonly client: RestEnd;
  readonly server: RestEnd;
}

interface ExchangeView {
  readonly outcome: string | null;
  readonly status: number | null;
  readonly durationMs: number;
  readonly flow: { readonly id: string };
}
interface ExchangePage {
  readonly nodes: readonly ExchangeView[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

describe('curl and nginx', { skip }, () => {
  let agent: Agent;
  let nginx: Child;
  let port: number;

  before(async () => {
    [port] = await freePorts(1);
    const config = writeNginx(port);
    agent = await Agent.start();
    nginx = new Child(NGINX, ['-c', config, '-e', join(directory, 'error.log')]);
    await eventually(() => run('curl', '-sf', '-o', '/dev/null', `http://127.0.0.1:${port}/body?ready`));
  });
  after(async () => {
    nginx.process.kill('SIGTERM');
    await nginx.ended;
    await agent.stop();
  });

  test('after the end: the flow has curl and the worker, users, parents, command lines and exact bytes', async () => {
    const trace = join(directory, 'trace');
    const url = `http://127.0.0.1:${port}/body?after`;
    const output = await run(
      'curl',
      ...[
        '-s',
        '-o',
        '/dev/null',
        '--trace',
        trace,
        '-w',
        '%{size_request} %{size_header} %{size_download} %{local_port}',
      ],
      url,
    );
    const [request = 0, header = 0, download = 0, localPort = 0] = output.split(' ').map(Number);
    assert.equal(download, BODY_BYTES);

    const flow = await eventually(async () => {
      const found = await agent.rest<{ flows: RestFlow[] }>(`/v1/flows?process=curl&clientPort=${localPort}`);
      const [first] = found.flows;
      assert.ok(first);
      assert.equal(first.state, 'ENDED');
      // The worker's user is known as soon as it is read again: a change of it is no event.
      assertWorker(first.server.process);
      return first;
    });
    assert.equal(flow.endReason, 'END_OF_FLOW');
    assert.equal(flow.direction, 'LOCAL');
    assert.deepEqual([flow.client.sent.payloadBytes, flow.server.sent.payloadBytes], [request, header + download]);
    assert.equal(flow.client.process.name, 'curl');
    assert.equal(flow.client.process.user.name, 'root');
    assert.ok(flow.client.process.commandLine.startsWith('curl -s -o /dev/null --trace'));
    assert.ok(flow.client.process.commandLine.includes(url));
    assert.equal(flow.client.process.parent.pid, process.pid);
  });

  test('while open: the same flow is there, and GraphQL tells the same', async () => {
    const slow = new Child('curl', ['-s', '-o', '/dev/null', `http://127.0.0.1:${port}/slow`]);
    const query = `query ($pid: Int) { flows(where: { pid: { eq: $pid }, state: [OPEN] }) { nodes { state
      client { process { pid } sent { payloadBytes } }
      server { port process { pid name executable commandLine user { name } parent { pid name } } sent { payloadBytes } } } } }`;
    const flow = await eventually(async () => {
      const { flows } = await agent.graphql<{ flows: { nodes: RestFlow[] } }>(query, { pid: slow.pid });
      const [first] = flows.nodes;
      assert.ok(first);
      assert.ok(first.server.sent.payloadBytes > 0, 'some of the answer was sent');
      return first;
    });
    assert.equal(flow.client.process.pid, slow.pid);
    assert.ok(flow.server.sent.payloadBytes < BODY_BYTES);
    assertWorker(flow.server.process);
    slow.process.kill();
    await slow.ended;
  });

  test('64 connections that are kept: as many exchanges as requests, that took as long as the client says', async () => {
    const percentiles = join(directory, 'percentiles');
    const options = ['-q', '-k', '-n', `${REQUESTS}`, '-c', `${CONNECTIONS}`, '-e', percentiles];
    const output = await run('ab', ...options, `http://127.0.0.1:${port}/small?load`);
    const count = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(output)?.[1]);
    assert.deepEqual([count('Complete requests'), count('Failed requests')], [REQUESTS, 0]);
    const answered = await eventually(async () => {
      const all = await exchangesOf('/small');
      assert.ok(all.length >= REQUESTS && all.every(({ outcome }) => outcome !== null), `${all.length} exchanges`);
      return all.filter(({ outcome }) => outcome === 'ANSWERED');
    });
    // What ab asks for beyond that it gives up.
    assert.equal(answered.length, REQUESTS);
    assert.ok(answered.every(({ status }) => status === 200));
    assert.equal(new Set(answered.map(({ flow }) => flow.id)).size, CONNECTIONS);
    const told = new Map(
      readFileSync(percentiles, 'latin1')
        .split('\n')
        .map((line): [number, number] => [parseInt(line), Number(line.split(',')[1])]),
    );
    const durations = answered.map(({ durationMs }) => durationMs).sort((a, b) => a - b);
    for (const percent of [10, 50, 90]) {
      const wanted = told.get(percent) ?? NaN;
      const shown = durations[(REQUESTS * percent) / 100] ?? NaN;
      const overhead = CLIENT_OVERHEAD_MS + CLIENT_OVERHEAD_SHARE * wanted;
      assert.ok(Math.abs(shown - wanted) <= overhead, `${percent} %: ${shown} ms, not ${wanted}`);
    }
    const { losses } = await agent.host();
    assert.deepEqual(
      losses.filter(({ place, count: lost }) => /http|exchange/i.test(place) && lost > 0),
      [],
    );
  });

  async function exchangesOf(target: string): Promise<ExchangeView[]> {
    const query = `query ($target: String, $after: String) { exchanges(where: { target: { eq: $target } }, first: 2000, after: $after) {
      nodes { outcome status durationMs flow { id } } pageInfo { hasNextPage endCursor } } }`;
    const all: ExchangeView[] = [];
    let after: string | null = null;
    while (true) {
      const { exchanges }: { exchanges: ExchangePage } = await agent.graphql(query, { target, after });
      all.push(...exchanges.nodes);
      if (!exchanges.pageInfo.hasNextPage) return all;
      after = exchanges.pageInfo.endCursor;
    }
  }

  /** nginx's master listens; a worker of another user serves. */
  function assertWorker(worker: RestProcess): void {
    assert.equal(worker.name, 'nginx');
    assert.notEqual(worker.pid, nginx.pid);
    assert.deepEqual(worker.parent, { ...worker.parent, pid: nginx.pid, name: 'nginx' });
    assert.equal(worker.user.name, process.getuid?.() === 0 ? 'nobody' : 'root');
    assert.equal(worker.executable, NGINX);
    assert.ok(worker.commandLine.includes('nginx'));
  }
});

function writeNginx(port: number): string {
  // The workers are another user's.
  chmodSync(directory, 0o755);
  mkdirSync(join(directory, 'www'));
  writeFileSync(join(directory, 'www/body'), randomBytes(BODY_BYTES));
  writeFileSync(join(directory, 'www/small'), randomBytes(500));
  writeFileSync(join(directory, 'www/slow'), readFileSync(join(directory, 'www/body')));
  const config = join(directory, 'nginx.conf');
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${join(directory, name)};`)
    .join(' ');
  writeFileSync(
    config,
    `daemon off; user nobody nogroup; worker_processes 2; pid ${join(directory, 'pid')};
     events {}
     http { access_log off; keepalive_requests 1000000; ${temporary} server { listen 127.0.0.1:${port}; root ${join(directory, 'www')};
       location /slow { limit_rate 20k; } } }`,
  );
  return config;
}
