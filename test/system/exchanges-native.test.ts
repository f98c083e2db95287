/** HTTP exchanges as the kernel programs and the addon tell them, against what clients know of their own. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { EXCHANGE_FLAG, USAGE_FLAG } from '../../src/capture/layout.js';
import { temporaryDirectory } from '../temporary.js';
import { CLIENT, ExchangeRows, SERVER, type ExchangeRow } from './harness/exchange-rows.js';
import { Child, eventually, freePorts, RawClient, run, skipWithoutBpf } from './harness/index.js';

const skip = await skipWithoutBpf('HTTP exchanges');
const directory = temporaryDirectory();
const SERVER_PROGRAM = fileURLToPath(new URL('harness/http-server.js', import.meta.url));

let made = 0;
/** A target that no other exchange has. */
const target = (path: string): string => `${path}?${made++}`;
const get = (path: string): string => request('GET', path);
const request = (method: string, path: string, fields = '', body = ''): string =>
  `${method} ${path} HTTP/1.1\r\nHost: test\r\nUser-Agent: raw\r\n${fields}\r\n${body}`;
const hasHead = (text: string): boolean => text.includes('\r\n\r\n');
const hasBytes =
  (body: number) =>
  (text: string): boolean =>
    hasHead(text) && text.length - (text.indexOf('\r\n\r\n') + 4) >= body;

interface Wanted {
  readonly method?: string;
  readonly status: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
  readonly flags?: number;
}

function assertExchange(row: ExchangeRow, wanted: Wanted): void {
  const { method = 'GET', status, requestBytes, responseBytes, flags = 0 } = wanted;
  const shown = [row.method, row.status, row.requestBytes, row.responseBytes, row.flags];
  assert.deepEqual(shown, [method, status, requestBytes, responseBytes, flags], JSON.stringify(row));
  if (status === 0) return;
  assert.ok(row.requestStartNs <= row.responseStartNs && row.responseStartNs <= row.responseEndNs, JSON.stringify(row));
}

/** Takes requests, and answers each in a thread or in a process of its own, as the target says. */
const HANDING_OVER = `
import os, socket, sys, threading
server = socket.create_server(('127.0.0.1', int(sys.argv[1])))
print('listening')
while True:
    connection, _ = server.accept()
    request = connection.recv(4096)
    answer = lambda: connection.sendall(b'HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok')
    if request.startswith(b'GET /thread'):
        thread = threading.Thread(target=answer)
        thread.start()
        thread.join()
    else:
        child = os.fork()
        if child == 0:
            answer()
            os._exit(0)
        os.waitpid(child, 0)
    connection.close()
`;

/** Asks twice on one connection. The first body, of a length known beforehand, goes from the socket into a pipe. */
const SPLICING = `
import os, socket, sys
port, first, size, second = int(sys.argv[1]), sys.argv[2].encode(), int(sys.argv[3]), sys.argv[4].encode()
connection = socket.create_connection(('127.0.0.1', port))
def head():
    text = b''
    while not text.endswith(b'\\r\\n\\r\\n'):
        text += connection.recv(1)
    return len(text)
connection.sendall(first)
received, left = head(), size
readable, writable = os.pipe()
while left > 0:
    moved = os.splice(connection.fileno(), writable, min(left, 4096))
    os.read(readable, moved)
    left -= moved
    received += moved
connection.sendall(second)
print(received, head() + len(connection.recv(3)))
`;

describe('HTTP exchanges', { skip }, () => {
  let rows: ExchangeRows;
  let node: Child;
  let port: number;
  let otherPort: number;

  before(async () => {
    [port, otherPort] = await freePorts(2);
    node = new Child(process.execPath, [SERVER_PROGRAM, `${port}`]);
    await node.lines().next();
    rows = new ExchangeRows([port, otherPort]);
    await rows.ready();
  });
  after(async () => {
    await rows.stop();
    node.process.kill();
    await node.ended;
  });

  /** Sends one request and waits for its response; both sides must tell what the client knows. */
  async function exchange(
    client: RawClient,
    path: string,
    pieces: readonly string[],
    enough: (text: string) => boolean,
    wanted: { readonly method?: string; readonly status: number; readonly flags?: number },
  ): Promise<{ readonly client: ExchangeRow; readonly server: ExchangeRow }> {
    client.clear();
    await client.send(...pieces);
    const responseBytes = (await client.until(enough)).length;
    const requestBytes = pieces.join('').length;
    const both = await rows.both(path);
    for (const row of [both.client, both.server]) assertExchange(row, { ...wanted, requestBytes, responseBytes });
    return both;
  }

  test('keep-alive: each request has its response, its process and its thread', async () => {
    const client = await RawClient.open(port);
    for (let ordinal = 0; ordinal < 3; ordinal++) {
      const path = target(`/bytes/${ordinal * 1000}`);
      const both = await exchange(client, path, [get(path)], hasBytes(ordinal * 1000), { status: 200 });
      assert.deepEqual([both.client.ordinal, both.server.ordinal], [ordinal, ordinal]);
      assert.deepEqual([both.client.pid, both.server.pid], [process.pid, node.pid]);
      assert.deepEqual([both.server.tid, both.server.threadName], [node.pid, 'node']);
      assert.deepEqual([both.server.host, both.server.userAgent, both.server.version], ['test', 'raw', 11]);
      assert.ok(
        (both.server.usageFlags & USAGE_FLAG.process) !== 0 && (both.server.usageFlags & USAGE_FLAG.thread) !== 0,
      );
      assert.ok(both.server.cpuNs > 0 && both.server.memoryBytes > 1e6);
      // The server's window lies in the client's.
      assert.ok(both.client.requestStartNs <= both.server.responseEndNs);
      assert.ok(
        both.server.responseEndNs - both.server.requestStartNs <=
          both.client.responseEndNs - both.client.requestStartNs,
      );
    }
    await client.close();
  });

  test('a head that comes byte by byte', async () => {
    const client = await RawClient.open(port);
    const path = target('/bytes/10');
    await exchange(client, path, Array.from(get(path)), hasBytes(10), { status: 200 });
    await client.close();
  });

  test('bodies of requests, chunked ones too, in pieces', async () => {
    const client = await RawClient.open(port);
    const one = target('/received');
    const body = 'b'.repeat(100_000);
    const head = request('POST', one, `Content-Length: ${body.length}\r\n`);
    const sized = await exchange(
      client,
      one,
      [head + body.slice(0, 10), body.slice(10, 50_000), body.slice(50_000)],
      hasBytes(6),
      {
        method: 'POST',
        status: 200,
      },
    );
    assert.ok(sized.server.requestEndNs > sized.server.requestStartNs);
    const two = target('/received');
    const chunks = ['5\r\nhello\r\n1', '0;x=y\r\n0123456789abcdef\r', '\n0\r\nA: trailer\r\n', '\r\n'];
    await exchange(client, two, [request('POST', two, 'Transfer-Encoding: chunked\r\n'), ...chunks], hasBytes(2), {
      method: 'POST',
      status: 200,
    });
    await client.close();
  });

  test('responses without a body: HEAD, 204, 304', async () => {
    const client = await RawClient.open(port);
    for (const [method, path, status] of [
      ['HEAD', target('/bytes/500'), 200],
      ['GET', target('/status/204'), 204],
      ['GET', target('/status/304'), 304],
      ['HEAD', target('/status/404'), 404],
    ] as const)
      await exchange(client, path, [request(method, path)], hasHead, { method, status });
    await client.close();
  });

  test('chunked responses end when their last chunk does, while the connection stays open', async () => {
    const client = await RawClient.open(port);
    const path = target('/chunks/3000');
    const both = await exchange(client, path, [get(path)], (text) => text.endsWith('\r\n0\r\n\r\n'), { status: 200 });
    assert.ok(both.server.responseEndNs - both.server.responseStartNs > 20e6);
    const trailers = target('/trailers');
    await exchange(client, trailers, [get(trailers)], (text) => text.endsWith('x-sum: 4\r\n\r\n'), { status: 200 });
    await client.close();
  });

  test('100-continue, and a client that sends no body after another answer', async () => {
    const client = await RawClient.open(port);
    const path = target('/received');
    const fields = 'Content-Length: 5\r\nExpect: 100-continue\r\n';
    await client.send(request('PUT', path, fields));
    await client.until((text) => text.startsWith('HTTP/1.1 100 '));
    await client.send('hello');
    const text = await client.until((all) => all.includes('HTTP/1.1 200') && all.endsWith('\r\n\r\n5'));
    const both = await rows.both(path);
    const requestBytes = client.sent;
    for (const row of [both.client, both.server])
      assertExchange(row, { method: 'PUT', status: 200, requestBytes, responseBytes: text.length });
    await client.close();
  });

  test('sixteen pipelined requests in one message, and in sixteen', async () => {
    for (const together of [true, false]) {
      const client = await RawClient.open(port);
      const requests = Array.from({ length: 16 }, (_, i) => {
        const [method, path] = (
          [
            ['GET', '/bytes/2000'],
            ['HEAD', '/bytes/300'],
            ['GET', '/status/204'],
            ['POST', '/received'],
          ] as const
        )[i % 4] as readonly [string, string];
        const unique = target(path);
        const [fields, body] = method === 'POST' ? ['Content-Length: 700\r\n', 'p'.repeat(700)] : ['', ''];
        return { method, path: unique, text: request(method, unique, fields, body) };
      });
      const texts = requests.map(({ text }) => text);
      await client.send(...(together ? [texts.join('')] : texts));
      const answers = await client.until((all) => splitResponses(all, requests).length === requests.length);
      const responses = splitResponses(answers, requests);
      for (const [i, { method, path, text }] of requests.entries()) {
        const { status, bytes } = responses[i] ?? { status: 0, bytes: 0 };
        const both = await rows.both(path);
        for (const row of [both.client, both.server])
          assertExchange(row, { method, status, requestBytes: text.length, responseBytes: bytes });
        assert.equal(both.server.ordinal, i);
      }
      await client.close();
    }
  });

  test('what comes after an upgrade, or through a tunnel, is not looked at', async () => {
    for (const [path, text] of [
      ['/chat', request('GET', '/chat', 'Connection: Upgrade\r\nUpgrade: websocket\r\n')],
      ['tunnel:443', request('CONNECT', 'tunnel:443')],
    ] as const) {
      const client = await RawClient.open(port);
      await client.send(text);
      const head = await client.until(hasHead);
      const both = await rows.both(path);
      const [method = '', status] = path === '/chat' ? ['GET', 101] : ['CONNECT', 200];
      for (const row of [both.client, both.server])
        assertExchange(row, {
          method,
          status,
          requestBytes: text.length,
          responseBytes: head.length,
          flags: EXCHANGE_FLAG.upgraded,
        });
      const hidden = target('/hidden');
      await client.send(get(hidden));
      await client.until((all) => all.includes(hidden));
      const seen = target('/bytes/1');
      const other = await RawClient.open(port);
      await exchange(other, seen, [get(seen)], hasBytes(1), { status: 200 });
      assert.ok([...rows.ended, ...rows.started].every((row) => row.target !== hidden));
      await client.close();
      await other.close();
    }
  });

  test('a request that nobody answers, and what the end of a connection cuts', async () => {
    const { unanswered, incomplete } = EXCHANGE_FLAG;
    const hang = target('/hang');
    const waiting = await RawClient.open(port);
    await waiting.send(get(hang));
    await eventually(() => assert.equal(rows.started.filter((row) => row.target === hang).length, 2));
    await waiting.close();
    const both = await rows.both(hang);
    for (const row of [both.client, both.server]) {
      const requestBytes = get(hang).length;
      assertExchange(row, { status: 0, requestBytes, responseBytes: 0, flags: unanswered });
      assert.equal(row.responseEndNs, 0);
    }

    const cut = target('/cut');
    const reader = await RawClient.open(port);
    await reader.send(get(cut));
    const responseBytes = (await reader.untilEnd()).length;
    await reader.close();
    const cutBoth = await rows.both(cut);
    for (const row of [cutBoth.client, cutBoth.server])
      assertExchange(row, { status: 200, requestBytes: get(cut).length, responseBytes, flags: incomplete });

    const short = target('/received');
    const text = request('POST', short, 'Content-Length: 100\r\n', 'only this');
    const writer = await RawClient.open(port);
    await writer.send(text);
    await eventually(() => assert.equal(rows.started.filter((row) => row.target === short).length, 2));
    await writer.close();
    const shortBoth = await rows.both(short);
    // Node answers a request that is cut with 400.
    assertExchange(shortBoth.client, {
      method: 'POST',
      status: 0,
      requestBytes: text.length,
      responseBytes: 0,
      flags: unanswered | incomplete,
    });
    assert.equal(shortBoth.server.flags & incomplete, incomplete);
    assert.deepEqual([shortBoth.server.requestBytes, shortBoth.server.requestEndNs], [text.length, 0]);
  });

  test('a response that ends with the connection, and one that comes before the end of the request', async () => {
    const path = target('/until-close');
    const client = await RawClient.open(port);
    await client.send(get(path));
    const responseBytes = (await client.untilEnd()).length;
    const both = await rows.both(path);
    for (const row of [both.client, both.server])
      assertExchange(row, { status: 200, requestBytes: get(path).length, responseBytes });
    await client.close();

    const early = target('/early');
    const head = request('POST', early, 'Content-Length: 10\r\n');
    const hasty = await RawClient.open(port);
    await hasty.send(`${head}01234`);
    const answer = await hasty.until(hasBytes(8));
    await hasty.send('56789');
    const earlyBoth = await rows.both(early);
    for (const row of [earlyBoth.client, earlyBoth.server]) {
      const requestBytes = head.length + 10;
      assertExchange(row, { method: 'POST', status: 413, requestBytes, responseBytes: answer.length });
    }
    assert.ok(earlyBoth.client.requestEndNs > earlyBoth.client.responseEndNs);
    await hasty.close();
  });

  test('a head that is longer than what is read of it', async () => {
    const client = await RawClient.open(port);
    const path = target('/received');
    const fields = `X-Long: ${'l'.repeat(6000)}\r\nContent-Length: 3\r\n`;
    await exchange(client, path, [request('POST', path, fields, 'abc')], hasBytes(1), {
      method: 'POST',
      status: 200,
      flags: EXCHANGE_FLAG.headCut,
    });
    const next = target('/bytes/1');
    await exchange(client, next, [get(next)], hasBytes(1), { status: 200 });
    await client.close();
  });

  test('what only begins like HTTP is no exchange', async () => {
    const echo = await startEcho(otherPort);
    const garbage = [
      'GET /\x01\x02 HTTP/1.1\r\n\r\n',
      'GET /x RTSP/1.0\r\n\r\n',
      'G',
      'POST /\r\n\r\n',
      'HTTP/1.1 xxx',
    ];
    const before = rows.ended.length + rows.started.length;
    for (const text of garbage) {
      const client = await RawClient.open(otherPort);
      await client.send(text, text);
      await client.until((all) => all.length === 2 * text.length);
      await client.close();
    }
    const path = target('/bytes/1');
    const client = await RawClient.open(port);
    await client.send(get(path));
    await rows.both(path);
    assert.equal(
      rows.ended.length + rows.started.length - before,
      rows.started.filter((row) => row.target === path).length + 2,
    );
    await client.close();
    await stopEcho(echo);
  });

  test("Python's server: a thread for each connection, until the connection closes", async () => {
    writeFileSync(join(directory, 'page'), 'p'.repeat(123_456));
    const python = new Child('python3', [
      '-u',
      '-m',
      'http.server',
      `${otherPort}`,
      '--bind',
      '127.0.0.1',
      '--directory',
      directory,
    ]);
    await python.lines().next();
    const path = target('/page');
    const output = await run(
      'curl',
      '-s',
      '-o',
      '/dev/null',
      '-w',
      '%{size_request} %{size_header}',
      `http://127.0.0.1:${otherPort}${path}`,
    );
    const [requestBytes = 0, header = 0] = output.split(' ').map(Number);
    const both = await rows.both(path);
    for (const row of [both.client, both.server])
      assertExchange(row, { status: 200, requestBytes, responseBytes: header + 123_456 });
    assert.equal(both.client.threadName, 'curl');
    assert.equal(both.server.pid, python.pid);
    assert.notEqual(both.server.tid, python.pid);
    assert.ok((both.server.usageFlags & USAGE_FLAG.thread) !== 0);
    assert.ok(both.server.threadCpuNs > 0 && both.server.threadCpuNs <= both.server.cpuNs + 100_000);
    python.process.kill();
    await python.ended;
  });

  test('who answers a request that another process or thread has taken', async () => {
    const python = new Child('python3', ['-u', '-c', HANDING_OVER, `${otherPort}`]);
    await python.lines().next();
    for (const by of ['thread', 'process']) {
      const path = target(`/${by}`);
      const client = await RawClient.open(otherPort);
      const both = await exchange(client, path, [get(path)], hasBytes(2), { status: 200 });
      const { process: oneProcess, thread: oneThread } = USAGE_FLAG;
      const wanted = by === 'thread' ? oneProcess : 0;
      assert.equal(both.server.usageFlags & (oneProcess | oneThread), wanted, by);
      // Who finished it, and the thread that took the request.
      assert.equal(both.server.pid === python.pid, by === 'thread');
      assert.equal(both.server.tid, python.pid);
      await client.close();
    }
    python.process.kill();
    await python.ended;
  });

  test('a body that never enters the memory of the process that takes it', async () => {
    const [first, second] = [target('/bytes/100000'), target('/bytes/3')];
    const output = await run('python3', '-c', SPLICING, `${port}`, get(first), '100000', get(second));
    const [firstBytes = 0, secondBytes = 0] = output.split(' ').map(Number);
    for (const [path, responseBytes] of [
      [first, firstBytes],
      [second, secondBytes],
    ] as const) {
      const both = await rows.both(path);
      for (const row of [both.client, both.server])
        assertExchange(row, { status: 200, requestBytes: get(path).length, responseBytes });
    }
  });

  test('nothing was lost', () => {
    assert.deepEqual(rows.lost(), {});
  });
});

describe('a connection that speaks something else', { skip }, () => {
  test('is looked at four times at each end, however long it talks', async () => {
    const PINGS = 300;
    const [port] = await freePorts(1);
    const echo = await startEcho(port);
    const rows = new ExchangeRows([port]);
    await rows.ready();
    const client = await RawClient.open(port);
    for (let i = 1; i <= PINGS; i++) {
      await client.send('ping');
      await client.until((all) => all.length === 4 * i);
    }
    await eventually(() => {
      assert.ok(rows.runs('sock_recv_length') >= 2 * PINGS);
      assert.equal(rows.runs('http'), 8);
    });
    await client.close();
    await stopEcho(echo);
    await rows.stop();
  });
});

describe('HTTP connections that are older than the agent', { skip }, () => {
  test('are met at the next request', async () => {
    const [port] = await freePorts(1);
    const node = new Child(process.execPath, [SERVER_PROGRAM, `${port}`]);
    await node.lines().next();
    const client = await RawClient.open(port);
    const first = target('/bytes/5');
    await client.send(get(first));
    await client.until(hasBytes(5));
    const rows = new ExchangeRows([port]);
    await rows.ready();
    const path = target('/bytes/7');
    client.clear();
    await client.send(get(path));
    const responseBytes = (await client.until(hasBytes(7))).length;
    const both = await rows.both(path);
    for (const row of [both.client, both.server])
      assertExchange(row, { status: 200, requestBytes: get(path).length, responseBytes });
    assert.ok(rows.ended.every((row) => row.target !== first));
    await client.close();
    await rows.stop();
    node.process.kill();
    await node.ended;
  });
});

describe('nginx and ab', { skip }, () => {
  const CONNECTIONS = 64;
  const REQUESTS = 20_000;
  const BODY = 5000;

  test('64 keep-alive connections: as many exchanges as the client had, and nothing lost', async () => {
    chmodSync(directory, 0o755);
    mkdirSync(join(directory, 'www'));
    writeFileSync(join(directory, 'www/file'), randomBytes(BODY));
    const [nginxPort] = await freePorts(1);
    const rows = new ExchangeRows([nginxPort]);
    await rows.ready();
    const nginx = startNginx(nginxPort);
    await eventually(() => run('curl', '-sf', '-o', '/dev/null', `http://127.0.0.1:${nginxPort}/file?ready`));

    const output = await run(
      'ab',
      '-q',
      '-k',
      '-n',
      `${REQUESTS}`,
      '-c',
      `${CONNECTIONS}`,
      `http://127.0.0.1:${nginxPort}/file?ab`,
    );
    const count = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(output)?.[1]);
    assert.equal(count('Complete requests'), REQUESTS);
    assert.equal(count('Failed requests'), 0);
    const of = (side: number): ExchangeRow[] =>
      rows.ended.filter((row) => row.target === '/file?ab' && row.side === side);
    await eventually(() => assert.ok(of(CLIENT).length >= REQUESTS && of(SERVER).length >= REQUESTS));
    // ab has asked a little more than it waits for when it stops.
    for (const side of [CLIENT, SERVER]) {
      const answered = of(side).filter(({ status, flags }) => status === 200 && flags === 0);
      assert.ok(answered.length >= REQUESTS && answered.length <= REQUESTS + CONNECTIONS, `${answered.length}`);
      assert.ok(of(side).length <= REQUESTS + CONNECTIONS);
      assert.ok(answered.every(({ responseBytes }) => responseBytes === answered[0]?.responseBytes));
    }
    assert.equal(sumOf(of(CLIENT).filter(({ status }) => status === 200)), count('Total transferred'));
    assert.deepEqual(rows.lost(), {});
    nginx.process.kill();
    await nginx.ended;
    await rows.stop();
  });

  function startNginx(port: number): Child {
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map((name) => `${name}_temp_path ${join(directory, name)};`)
      .join(' ');
    const config = join(directory, 'nginx.conf');
    writeFileSync(
      config,
      `daemon off; user nobody nogroup; worker_processes 2; pid ${join(directory, 'pid')}; events {}
       http { access_log off; sendfile on; keepalive_requests 1000000; ${temporary}
         server { listen 127.0.0.1:${port}; root ${join(directory, 'www')}; } }`,
    );
    return new Child('/usr/sbin/nginx', ['-c', config, '-e', join(directory, 'error.log')]);
  }
});

const sumOf = (rows: readonly ExchangeRow[]): number => rows.reduce((sum, { responseBytes }) => sum + responseBytes, 0);

/** The responses in a stream, by what their heads say and what was asked; the last one may be cut, and is left out. */
function splitResponses(
  text: string,
  requests: readonly { readonly method: string }[],
): { readonly status: number; readonly bytes: number }[] {
  const responses: { status: number; bytes: number }[] = [];
  for (let at = 0; at < text.length;) {
    const end = text.indexOf('\r\n\r\n', at);
    if (end < 0) break;
    const head = text.slice(at, end);
    const status = Number(head.slice(9, 12));
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
    const bytes = end + 4 - at + (requests[responses.length]?.method === 'HEAD' ? 0 : length);
    if (at + bytes > text.length) break;
    responses.push({ status, bytes });
    at += bytes;
  }
  return responses;
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
}

async function startEcho(port: number): Promise<Server> {
  const echo = createServer((socket) => void socket.on('error', () => undefined).pipe(socket));
  await listen(echo, port);
  return echo;
}

function stopEcho(echo: Server): Promise<unknown> {
  return new Promise((resolve) => echo.close(resolve));
}
