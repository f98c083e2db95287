/** Requests of real programs, from the kernel to the API. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent as HttpAgent, request, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { Agent, Child, eventually, skipWithoutBpf } from './harness/index.js';

const skip = await skipWithoutBpf('exchanges of HTTP');

/** Tells its port; burns CPU time when asked to, and says how much. */
const SERVER = `
const server = require('node:http').createServer((request, response) => {
  const { pathname } = new URL(request.url, 'http://x');
  if (pathname === '/slow') {
    const before = process.cpuUsage();
    while (process.cpuUsage(before).user < 60_000);
    const { user, system } = process.cpuUsage(before);
    setTimeout(() => response.end(JSON.stringify((user + system) / 1000)), 250);
  } else if (pathname !== '/never') response.end('x'.repeat(1000));
});
server.on('upgrade', (request, socket) => socket.end('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: x\\r\\nConnection: upgrade\\r\\n\\r\\nbytes'));
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
`;

interface View {
  readonly method: string;
  readonly target: string;
  readonly status: number | null;
  readonly outcome: string | null;
  readonly ordinal: number;
  readonly durationMs: number | null;
  readonly serverTimeMs: number | null;
  readonly requestBytes: number | null;
  readonly responseBytes: number | null;
  readonly flow: { readonly id: string };
  readonly client: { readonly pid: number } | null;
  readonly server: { readonly pid: number; readonly user: { readonly uid: number } } | null;
  readonly thread: { readonly tid: number; readonly name: string } | null;
  readonly usage: { readonly cpuTimeMs: number; readonly memoryBytes: number } | null;
  readonly threadUsage: { readonly cpuTimeMs: number } | null;
  readonly concurrentProcesses: readonly {
    readonly process: { readonly pid: number };
    readonly usage: { readonly cpuTimeMs: number };
  }[];
}

const FIELDS = `method target status outcome ordinal durationMs serverTimeMs requestBytes responseBytes flow { id } client { pid }
  server { pid user { uid } } thread { tid name } usage { cpuTimeMs memoryBytes } threadUsage { cpuTimeMs }`;
const WITH_CONCURRENT = `${FIELDS} concurrentProcesses(first: 1000) { process { pid } usage { cpuTimeMs } }`;

describe('exchanges', { skip }, () => {
  let agent: Agent;
  let server: Child;
  let port: number;

  before(async () => {
    agent = await Agent.start();
    server = new Child(process.execPath, ['-e', SERVER]);
    for await (const line of server.lines()) {
      port = Number(line);
      break;
    }
  });
  after(async () => {
    server.process.kill('SIGTERM');
    await server.ended;
    await agent.stop();
  });

  async function exchanges(where: object, first = 1000, fields = FIELDS): Promise<readonly View[]> {
    const query = `query ($where: ExchangeFilter) {
      exchanges(where: $where, first: ${first}, orderBy: {field: START_TIME, direction: ASC}) { nodes { ${fields} } } }`;
    const filter = { and: [{ serverPort: { eq: port } }, where] };
    return (await agent.graphql<{ exchanges: { nodes: View[] } }>(query, { where: filter })).exchanges.nodes;
  }

  function ask(path: string, over?: HttpAgent): Promise<string> {
    return new Promise((resolve, reject) => {
      const asked = request(
        { port, host: '127.0.0.1', path, ...(over && { agent: over }) },
        (response: IncomingMessage) => {
          let text = '';
          response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
          response.once('end', () => resolve(text)).once('error', reject);
        },
      );
      asked.once('error', reject).end();
    });
  }

  test('the story of a slow request: who served it, in which thread, what it cost, and what ran meanwhile', async () => {
    const hog = new Child('sh', ['-c', 'while :; do :; done']);
    const burntMs = Number(await ask('/slow?token=secret'));
    const found = await eventually(async () => {
      const [slow] = await exchanges({ minDurationMs: 200, target: { eq: '/slow' } }, 10, WITH_CONCURRENT);
      const ran = slow?.concurrentProcesses.find(({ process: { pid } }) => pid === hog.pid);
      if (slow === undefined || ran === undefined) throw new Error('not told of yet');
      return { slow, ran };
    });
    hog.process.kill('SIGKILL');
    await hog.ended;
    const { slow, ran } = found;
    assert.equal(slow.status, 200);
    assert.equal(slow.outcome, 'ANSWERED');
    assert.equal(slow.client?.pid, process.pid);
    assert.equal(slow.server?.pid, server.pid);
    assert.equal(slow.server.user.uid, process.getuid?.());
    assert.equal(slow.thread?.tid, server.pid, 'JavaScript runs in the main thread');
    assert.ok((slow.serverTimeMs ?? 0) >= 300 && (slow.serverTimeMs ?? 0) <= (slow.durationMs ?? 0));
    assert.ok((slow.usage?.cpuTimeMs ?? 0) >= burntMs, `${slow.usage?.cpuTimeMs ?? 0} of ${burntMs} ms`);
    assert.ok((slow.threadUsage?.cpuTimeMs ?? 0) >= 60);
    assert.ok((slow.usage?.memoryBytes ?? 0) > 10 * 1024 * 1024);
    assert.ok(ran.usage.cpuTimeMs > 0);
    assert.ok(!slow.concurrentProcesses.some(({ process: { pid } }) => pid === server.pid), 'what else ran');
  });

  test('as many exchanges as requests, over connections that are kept', async () => {
    const over = new HttpAgent({ keepAlive: true, maxSockets: 8 });
    const count = 400;
    await Promise.all(Array.from({ length: count }, (_, i) => ask(`/many?${i}`, over)));
    over.destroy();
    const all = await eventually(async () => {
      const found = await exchanges({ target: { eq: '/many' }, outcome: ['ANSWERED'] });
      if (found.length !== count) throw new Error(`${found.length} exchanges`);
      return found;
    });
    const flows = new Map<string, number[]>();
    for (const { flow, ordinal } of all) flows.set(flow.id, [...(flows.get(flow.id) ?? []), ordinal]);
    assert.equal(flows.size, 8);
    for (const ordinals of flows.values()) {
      assert.deepEqual(
        ordinals.sort((a, b) => a - b),
        ordinals.map((_, i) => i),
      );
    }
    for (const each of all) {
      assert.equal(each.client?.pid, process.pid);
      assert.equal(each.server?.pid, server.pid);
      assert.notEqual(each.usage, null);
      assert.ok((each.responseBytes ?? 0) > 1000);
    }
  });

  test('requests that do not wait for their answers', async () => {
    const socket = connect(port, '127.0.0.1');
    const requests = [0, 1, 2, 3].map((i) => `GET /piped/${i} HTTP/1.1\r\nHost: x\r\n\r\n`);
    socket.end(`${requests.join('')}GET /piped/4 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    socket.resume();
    await once(socket, 'close');
    const all = await eventually(async () => {
      const found = await exchanges({ target: { prefix: '/piped/' }, live: false });
      if (found.length !== 5) throw new Error(`${found.length} exchanges`);
      return found;
    });
    assert.equal(new Set(all.map(({ flow }) => flow.id)).size, 1);
    assert.deepEqual(all.map(({ target, ordinal, outcome }) => `${target} ${ordinal} ${outcome ?? ''}`).sort(), [
      '/piped/0 0 ANSWERED',
      '/piped/1 1 ANSWERED',
      '/piped/2 2 ANSWERED',
      '/piped/3 3 ANSWERED',
      '/piped/4 4 ANSWERED',
    ]);
  });

  test('what is never answered lasts until the connection gives up; another protocol ends it', async () => {
    const socket = connect(port, '127.0.0.1');
    socket.write('GET /never HTTP/1.1\r\nHost: x\r\n\r\n');
    await eventually(async () => {
      const [live] = await exchanges({ target: { eq: '/never' }, live: true });
      if (live === undefined) throw new Error('not told of yet');
      assert.equal(live.durationMs, null);
    });
    socket.destroy();
    const upgrading = connect(port, '127.0.0.1');
    upgrading.write('GET /chat HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n');
    upgrading.resume();
    await once(upgrading, 'close');
    await eventually(async () => {
      const [never] = await exchanges({ target: { eq: '/never' }, live: false });
      const [chat] = await exchanges({ target: { eq: '/chat' }, live: false });
      assert.equal(never?.outcome, 'UNANSWERED');
      assert.equal(never.status, null);
      assert.equal(chat?.outcome, 'UPGRADED');
      assert.equal(chat.status, 101);
    });
  });
});
