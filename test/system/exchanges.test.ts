/** Requests of real programs, from the kernel to the API. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent as HttpAgent, request, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Agent, Child, eventually, freePorts, RawClient, skipWithoutBpf } from './harness/index.js';

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

const SERVER_PROGRAM = fileURLToPath(new URL('harness/http-server.js', import.meta.url));

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

/** One request, in pieces that are sent one after the other, and what the API says of it. */
interface Shape {
  readonly what: string;
  readonly method: string;
  readonly path: string;
  readonly fields?: string;
  readonly body?: string;
  /** What has come when the rest of the request may be sent. */
  readonly before?: RegExp;
  /** What has come when the answer is complete. */
  readonly end: RegExp;
  readonly status: number;
  readonly outcome?: string;
}

const HEAD = /\r\n\r\n$/;
const CHUNKED = 'Transfer-Encoding: chunked\r\n';
const SHAPES: readonly Shape[] = [
  { what: 'a body of known length', method: 'GET', path: '/bytes/5000', end: /x{5000}$/, status: 200 },
  { what: 'HEAD', method: 'HEAD', path: '/bytes/5000', end: HEAD, status: 200 },
  { what: '204', method: 'GET', path: '/status/204', end: HEAD, status: 204 },
  { what: '304', method: 'GET', path: '/status/304', end: HEAD, status: 304 },
  { what: 'a chunked response', method: 'GET', path: '/chunks/3000', end: /\r\n0\r\n\r\n$/, status: 200 },
  { what: 'chunks with a trailer', method: 'GET', path: '/trailers', end: /x-sum: 4\r\n\r\n$/, status: 200 },
  {
    ...{ what: 'a chunked request', method: 'POST', path: '/received', fields: CHUNKED },
    ...{ body: '5\r\nhello\r\n0\r\n\r\n', end: /\r\n5$|\r\n1\r\n5\r\n0\r\n\r\n$/, status: 200 },
  },
  {
    ...{ what: '100-continue', method: 'PUT', path: '/received', before: /^HTTP\/1.1 100 / },
    ...{ fields: 'Content-Length: 5\r\nExpect: 100-continue\r\n', body: 'hello' },
    ...{ end: /HTTP\/1.1 200[^]*5(\r\n0\r\n\r\n)?$/, status: 200 },
  },
  {
    ...{ what: 'WebSocket', method: 'GET', path: '/chat', fields: 'Connection: Upgrade\r\nUpgrade: websocket\r\n' },
    ...{ end: HEAD, status: 101, outcome: 'UPGRADED' },
  },
];

describe('exchanges of all shapes', { skip }, () => {
  let agent: Agent;
  let showing: Agent;
  let server: Child;
  let port: number;
  let asked = 0;

  before(async () => {
    agent = await Agent.start();
    showing = await Agent.start({ flags: ['--set', 'exchanges.queryStrings=true'] });
    [port] = await freePorts(1);
    server = new Child(process.execPath, [SERVER_PROGRAM, `${port}`]);
    await server.lines().next();
  });
  after(async () => {
    server.process.kill();
    await server.ended;
    await showing.stop();
    await agent.stop();
  });

  async function told(of: Agent, target: string): Promise<View> {
    return eventually(async () => {
      const query = `query ($target: String) { exchanges(where: { target: { eq: $target }, live: false }) { nodes { ${FIELDS} } } }`;
      const { nodes } = (await of.graphql<{ exchanges: { nodes: View[] } }>(query, { target })).exchanges;
      assert.equal(nodes.length, 1, target);
      return nodes[0] as View;
    });
  }

  for (const { what, method, path, fields = '', body = '', before: mayGoOn, end, status, outcome } of SHAPES) {
    test(`${what}, and then what follows on the connection`, async () => {
      const client = await RawClient.open(port);
      const target = `${path}/${asked++}`;
      const head = `${method} ${target} HTTP/1.1\r\nHost: test\r\n${fields}\r\n`;
      await client.send(head);
      if (mayGoOn !== undefined) await client.until((text) => mayGoOn.test(text));
      if (body !== '') await client.send(body);
      const answer = await client.until((text) => end.test(text));
      const exchange = await told(agent, target);
      assert.deepEqual([exchange.method, exchange.status, exchange.outcome], [method, status, outcome ?? 'ANSWERED']);
      assert.deepEqual([exchange.requestBytes, exchange.responseBytes], [head.length + body.length, answer.length]);
      assert.deepEqual([exchange.client?.pid, exchange.server?.pid], [process.pid, server.pid]);
      if (outcome === undefined) {
        client.clear();
        const next = `/bytes/3/${asked++}`;
        await client.send(`GET ${next} HTTP/1.1\r\nHost: test\r\n\r\n`);
        const { length } = await client.until((text) => text.endsWith('\r\n\r\nxxx'));
        const second = await told(agent, next);
        assert.deepEqual([second.ordinal, second.responseBytes], [1, length]);
      }
      await client.close();
    });
  }

  test('query strings are not shown, unless that is wanted', async () => {
    const client = await RawClient.open(port);
    const target = `/bytes/3/${asked++}`;
    const query = '?token=secret&user=me';
    await client.send(`GET ${target}${query} HTTP/1.1\r\nHost: test\r\n\r\n`);
    await client.until((text) => text.endsWith('xxx'));
    assert.equal((await told(agent, target)).target, target);
    assert.equal((await told(showing, target + query)).target, target + query);
    await client.close();
  });

  test('what only looks like HTTP is no exchange', async () => {
    const count = async (): Promise<number> =>
      (
        await agent.graphql<{ exchanges: { totalCount: number } }>(
          `{ exchanges(where: { serverPort: { eq: ${port} } }, first: 1) { totalCount } }`,
        )
      ).exchanges.totalCount;
    const before = await count();
    for (const garbage of [
      'GET /\x01 HTTP/1.1\r\n\r\n',
      'GET /x RTSP/1.0\r\n\r\n',
      'POST /\r\n\r\n',
      '\x16\x03\x01GET / HTTP/1.1',
    ]) {
      const client = await RawClient.open(port);
      await client.send(garbage);
      // It answers 400, or waits for more.
      await client.close();
    }
    const target = `/bytes/3/${asked++}`;
    const client = await RawClient.open(port);
    await client.send(`GET ${target} HTTP/1.1\r\nHost: test\r\n\r\n`);
    await client.until((text) => text.endsWith('xxx'));
    await told(agent, target);
    assert.equal(await count(), before + 1);
    await client.close();
  });
});
