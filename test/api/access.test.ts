import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import WebSocket from 'ws';
import { TokensFile } from '../../src/api/index.js';
import { createToken, revokeToken } from '../../src/tokens.js';
import { FakeTokens, startHarness, type Harness } from './harness.js';

const directory = mkdtempSync(join(tmpdir(), 'procflow-api-'));
after(() => rmSync(directory, { recursive: true }));

interface Answer {
  readonly status: number;
  readonly code?: string;
}

/** By hand, since fetch does not let a page set Host and Origin. */
function ask(options: {
  port?: number;
  socketPath?: string;
  path: string;
  headers?: Record<string, string>;
  method?: string;
}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: '127.0.0.1', ...options, headers: { connection: 'close', ...options.headers } },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () => {
          const code = /"code":"(\w+)"/.exec(text)?.[1];
          resolve({ status: response.statusCode ?? 0, ...(code !== undefined && { code }) });
        });
      },
    );
    sent.on('error', reject).end();
  });
}

test('only our own names are taken as Host, so that a page cannot rebind its name to us', async () => {
  const api = await startHarness();
  const { port } = api.api;
  for (const host of ['localhost', `localhost:${port}`, '127.0.0.1', '[::1]:80', 'LOCALHOST.', 'procflow.example:9']) {
    assert.equal((await ask({ port, path: '/v1/status', headers: { host } })).status, 200, host);
  }
  for (const host of [
    'evil.example',
    `127.0.0.1.evil.example:${port}`,
    'localhost@evil.example',
    '[::2]',
    '10.0.0.1',
  ]) {
    const answer = await ask({ port, path: '/v1/status', headers: { host } });
    assert.ok(answer.code === 'HOST_NOT_ALLOWED' || answer.status === 400, `${host}: ${JSON.stringify(answer)}`);
  }
  assert.equal((await ask({ port, path: '/healthz', headers: { host: 'evil.example' } })).status, 403);
});

test('pages of other origins are refused, on requests and on upgrades', async () => {
  const api = await startHarness();
  const { port } = api.api;
  const status = async (origin: string, path: string): Promise<number> =>
    (await ask({ port, path, headers: { origin, host: `localhost:${port}` } })).status;
  for (const path of ['/v1/status', '/v1/flows']) {
    assert.equal(await status(`http://localhost:${port}`, path), 200);
    assert.equal(await status('https://board.example', path), 200);
    for (const origin of ['https://evil.example', 'null', 'http://localhost:1', 'file://'])
      assert.equal(await status(origin, path), 403, origin);
  }
  for (const [origin, expected] of [
    ['https://evil.example', 403],
    ['https://board.example', 101],
  ] as const) {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/graphql`, 'graphql-transport-ws', { origin });
    const seen = await Promise.race([
      once(socket, 'open').then(() => 101),
      once(socket, 'unexpected-response').then(([, response]) => (response as { statusCode: number }).statusCode),
    ]);
    assert.equal(seen, expected);
    socket.on('error', () => undefined);
    socket.terminate();
  }
});

test('a token gives its scopes, also where none is needed, and a wrong one is refused', async () => {
  const api = await startHarness({
    tokens: new FakeTokens({ pf_flows: ['flows:read'], pf_all: ['admin'], pf_processes: ['processes:read'] }),
  });
  api.state.addFlow({ client: api.state.addProcess() });
  const get = async (path: string, token?: string): Promise<[number, Record<string, unknown>]> => {
    const response = await api.get(path, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } });
    return [response.status, (await response.json()) as Record<string, unknown>];
  };
  assert.equal((await get('/v1/processes'))[0], 200);
  assert.equal((await get('/v1/processes', 'pf_wrong'))[0], 401);
  assert.equal((await get('/v1/flows', 'pf_flows'))[0], 200);
  const [status, problem] = await get('/v1/processes', 'pf_flows');
  assert.equal(status, 403);
  assert.match(String(problem['detail']), /processes:read/);
  assert.equal((await get('/v1/flows', 'pf_processes'))[0], 403);
  assert.equal((await get('/v1/flows?commandLine~=x', 'pf_flows'))[0], 403);
  assert.equal((await get('/v1/flows?not.commandLine~=x', 'pf_flows'))[0], 403);
  const line = (body: Record<string, unknown>): unknown =>
    (body['flows'] as { client: { process: { commandLine: unknown } } }[])[0]?.client.process.commandLine;
  assert.equal(line((await get('/v1/flows', 'pf_flows'))[1]), null);
  assert.equal(line((await get('/v1/flows', 'pf_all'))[1]), 'curl -s');
  assert.equal(line((await get('/v1/flows'))[1]), 'curl -s');
  for (const authorization of ['Basic eDp5', 'Bearer', 'Bearer  ', 'pf_all']) {
    assert.equal((await api.get('/v1/flows', { headers: { authorization } })).status, 401, authorization);
  }
  const answer = await api.graphql(
    '{ flows { nodes { client { process { commandLine arguments children { totalCount } } } } } }',
    undefined,
    {
      headers: { authorization: 'Bearer pf_flows' },
    },
  );
  assert.equal(answer.errors?.[0]?.extensions.code, 'FORBIDDEN');
});

test('an address that is not loopback refuses to start without a token, and to answer without one', async () => {
  await assert.rejects(startHarness({ config: { host: '0.0.0.0' } }), {
    code: 'LISTEN_REFUSED',
    message: /procflow token create/,
  });
  const api: Harness = await startHarness({
    config: { host: '0.0.0.0' },
    tokens: new FakeTokens({ pf_x: ['flows:read'] }),
  });
  assert.equal((await api.get('/v1/flows')).status, 401);
  assert.equal((await api.get('/v1/flows')).headers.get('www-authenticate'), 'Bearer realm="procflow"');
  assert.equal((await api.get('/metrics')).status, 401);
  assert.equal((await api.get('/healthz')).status, 200);
  assert.equal((await api.get('/readyz')).status, 200);
  assert.equal((await api.get('/v1/flows', { headers: { authorization: 'Bearer pf_x' } })).status, 200);
  const socket = new WebSocket(`${api.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  await once(socket, 'open');
  socket.send('{"type":"connection_init"}');
  assert.equal(((await once(socket, 'close')) as [number])[0], 4403);
});

test('the tokens file is followed as it changes', () => {
  const file = join(directory, 'tokens.json');
  const tokens = new TokensFile(file);
  assert.equal(tokens.isConfigured(), false);
  const secret = createToken(file, 'bot', ['flows:read']);
  assert.equal(tokens.isConfigured(), true);
  assert.deepEqual(tokens.verify(secret)?.scopes, ['flows:read']);
  assert.equal(tokens.verify(`${secret}x`), undefined);
  revokeToken(file, 'bot');
  assert.equal(tokens.verify(secret), undefined);
});

test('the unix socket is for its owner and group, and replaces one that nobody listens on', async () => {
  const socketPath = join(directory, 'run', 'procflow.sock');
  const api = await startHarness({ config: { socket: socketPath } });
  assert.equal(statSync(socketPath).mode & 0o777, 0o660);
  assert.deepEqual(api.api.addresses, [`http://127.0.0.1:${api.api.port}`, `unix:${socketPath}`]);
  assert.equal((await ask({ socketPath, path: '/v1/status', headers: { host: 'anything' } })).status, 200);
  await assert.rejects(startHarness({ config: { socket: socketPath } }), {
    code: 'LISTEN_FAILED',
    message: /another agent/,
  });
  await api.api.stop();
  assert.equal(statSync(socketPath, { throwIfNoEntry: false }), undefined);
  writeFileSync(join(directory, 'plain'), '');
  await assert.rejects(startHarness({ config: { socket: join(directory, 'plain') } }), {
    code: 'LISTEN_FAILED',
    message: /no socket/,
  });
  await assert.rejects(startHarness({ config: { port: (await startHarness()).api.port } }), {
    code: 'LISTEN_FAILED',
    message: /api\.port/,
  });
  await assert.rejects(startHarness({ config: { socket: socketPath, socketGroup: 'no-such-group' } }), {
    code: 'LISTEN_FAILED',
    message: /no-such-group/,
  });
});

test('answers carry what keeps browsers from misusing them', async () => {
  const api = await startHarness();
  for (const path of ['/v1/flows', '/v1/nothing', '/graphql', '/healthz']) {
    const { headers } = await api.get(path);
    assert.equal(headers.get('x-content-type-options'), 'nosniff', path);
    assert.equal(headers.get('cache-control'), 'no-store', path);
    assert.equal(headers.get('x-frame-options'), 'DENY', path);
    assert.equal(headers.get('access-control-allow-origin'), null, path);
    assert.equal(headers.get('set-cookie'), null, path);
    assert.equal(headers.get('x-powered-by'), null, path);
  }
});

test('the stop answers what was asked, refuses what comes after, and is over soon', async () => {
  const api = await startHarness();
  const idle = new WebSocket(`${api.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  await once(idle, 'open');
  const begun = performance.now();
  const stopped = api.api.stop();
  assert.equal(api.api.stop(), stopped);
  const [code] = (await once(idle, 'close')) as [number];
  assert.equal(code, 1001);
  await stopped;
  assert.ok(performance.now() - begun < 1500);
  await assert.rejects(api.get('/healthz'));
});
