/** A web server and curl, the first thing that a new user tries. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { temporaryDirectory } from '../temporary.js';
import { Agent, Child, eventually, run, skipWithoutBpf } from './harness/index.js';

const NGINX = '/usr/sbin/nginx';
const skip =
  (await skipWithoutBpf('curl and nginx')) ||
  (existsSync(NGINX) ? false : 'nginx is not installed: apt-get install nginx-light');
const directory = temporaryDirectory();
const BODY_BYTES = 1_234_567;

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

describe('curl and nginx', { skip }, () => {
  let agent: Agent;
  let nginx: Child;
  let port: number;

  before(async () => {
    port = await freePort();
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
  writeFileSync(join(directory, 'www/slow'), readFileSync(join(directory, 'www/body')));
  const config = join(directory, 'nginx.conf');
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${join(directory, name)};`)
    .join(' ');
  writeFileSync(
    config,
    `daemon off; user nobody nogroup; worker_processes 2; pid ${join(directory, 'pid')};
     events {}
     http { access_log off; ${temporary} server { listen 127.0.0.1:${port}; root ${join(directory, 'www')};
       location /slow { limit_rate 20k; } } }`,
  );
  return config;
}

/** A port that was free a moment ago. */
function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
