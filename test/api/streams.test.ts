import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { test } from 'node:test';
import { ProcessShare } from '../../src/correlate/model.js';
import { startHarness } from './harness.js';
import { Reader, sseEvent } from './stream-reader.js';

test('flows come by SSE as they start and end, filtered, with ids', async () => {
  const api = await startHarness();
  const [curl, wget] = [api.state.addProcess(), api.state.addProcess({ name: 'wget' })];
  const reader = new Reader(api, '\n\n');
  const response = await reader.open('/v1/flows/stream?process=curl&windowMs=10&fields=id,client.process.name');
  assert.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8');
  api.state.start({ client: wget });
  const flow = api.state.start({ client: curl });
  const started = await sseEvent(reader);
  assert.equal(started.event, 'started');
  assert.deepEqual(started.data, { id: flow.id, client: { process: { name: 'curl' } } });
  assert.match(started.id ?? '', /^[0-9a-z]+-2$/);
  api.state.emit({ kind: 'flow', event: 'UPDATED', flow });
  api.state.end(flow);
  assert.equal((await sseEvent(reader)).event, 'ended');
  reader.close();
});

test('updated events come when asked for, once a window', async () => {
  const api = await startHarness();
  const flow = api.state.addFlow({ client: api.state.addProcess() });
  const reader = new Reader(api, '\n\n');
  await reader.open('/v1/flows/stream?events=updated,ended&windowMs=10');
  for (let i = 0; i < 5; i++) api.state.emit({ kind: 'flow', event: 'UPDATED', flow });
  api.state.end(flow);
  const events = [await sseEvent(reader), await sseEvent(reader)];
  assert.deepEqual(
    events.map(({ event }) => event),
    ['updated', 'ended'],
  );
  assert.equal(events[0]?.id, undefined, 'an update is nothing to resume after');
  reader.close();
});

test('a flow that is learnt to pass the filter after its start, is told of then', async () => {
  const api = await startHarness();
  const reader = new Reader(api, '\n\n');
  await reader.open('/v1/flows/stream?process=nginx&windowMs=10&fields=id');
  const unknown = api.state.start({ client: api.state.addProcess() });
  const other = api.state.start({ client: api.state.addProcess() });
  const nginx = api.state.addProcess({ name: 'nginx' });
  unknown.server.process = nginx;
  unknown.server.shares = [new ProcessShare(nginx)];
  api.state.emit({ kind: 'flow', event: 'UPDATED', flow: unknown });
  assert.deepEqual((await sseEvent(reader)).data, { id: unknown.id });
  other.server.process = nginx;
  api.state.end(other);
  assert.deepEqual([(await sseEvent(reader)).event, (await sseEvent(reader)).event], ['started', 'ended']);
  reader.close();
});

test('processes come as NDJSON; a fork is told of when it execs what is looked for', async () => {
  const api = await startHarness();
  const reader = new Reader(api, '\n');
  const accept = 'application/x-ndjson';
  const response = await reader.open(
    '/v1/processes/stream?process=date&windowMs=10&fields=name&events=started,executed,exited',
    { accept },
  );
  assert.equal(response.headers.get('content-type'), 'application/x-ndjson; charset=utf-8');
  const process = api.state.addProcess({ name: 'bash' });
  api.state.emit({ kind: 'process', event: 'STARTED', process });
  process.name = 'date';
  api.state.emit({ kind: 'process', event: 'EXECUTED', process });
  process.exitCode = 0;
  api.state.emit({ kind: 'process', event: 'EXITED', process });
  const lines = [await reader.next(), await reader.next(), await reader.next()].map(
    (line) => JSON.parse(line ?? 'null') as { event: string; process: unknown },
  );
  assert.deepEqual(
    lines.map(({ event }) => event),
    ['started', 'executed', 'exited'],
  );
  assert.deepEqual(lines[0]?.process, { name: 'date' });
  reader.close();
});

test('a stream is resumed after the last event that was seen, and what is gone is counted', async () => {
  const api = await startHarness();
  const curl = api.state.addProcess();
  const first = new Reader(api, '\n\n');
  await first.open('/v1/flows/stream?windowMs=10&fields=id');
  api.state.start({ client: curl });
  const { id = '' } = await sseEvent(first);
  first.close();
  const missed = [api.state.start({ client: curl }), api.state.start({ client: curl })];
  const second = new Reader(api, '\n\n');
  await second.open('/v1/flows/stream?windowMs=10&fields=id', { 'last-event-id': id });
  assert.deepEqual(
    [(await sseEvent(second)).data, (await sseEvent(second)).data],
    missed.map((flow) => ({ id: flow.id })),
  );
  const next = api.state.start({ client: curl });
  assert.deepEqual((await sseEvent(second)).data, { id: next.id });
  second.close();
  const flow = api.state.addFlow({ client: curl });
  for (let i = 0; i < 20_000; i++) api.state.emit({ kind: 'flow', event: 'STARTED', flow });
  const third = new Reader(api, '\n\n');
  await third.open('/v1/flows/stream?windowMs=10&fields=id', { 'last-event-id': id });
  const dropped = await sseEvent(third);
  assert.equal(dropped.event, 'dropped');
  assert.equal(dropped.data['count'], 3 + 20_000 - 16_384);
  third.close();
  const refused = await api.get('/v1/flows/stream', { headers: { 'last-event-id': 'x y' } });
  assert.equal(refused.status, 400);
});

test('quiet streams are kept alive, and all end with a last event when the agent stops', async () => {
  const api = await startHarness({ pingMs: 20 });
  const sse = new Reader(api, '\n\n');
  const ndjson = new Reader(api, '\n');
  await sse.open('/v1/flows/stream');
  await ndjson.open('/v1/flows/stream', { accept: 'application/x-ndjson' });
  assert.equal(await sse.next(), 'retry: 2000');
  assert.equal(await sse.next(), ': ping');
  const begun = performance.now();
  await api.api.stop();
  assert.ok(performance.now() - begun < 1500);
  assert.deepEqual(await sseEvent(sse), { event: 'end', data: { reason: 'SHUTDOWN' } });
  assert.equal(await sse.next(), undefined);
  assert.deepEqual(JSON.parse((await ndjson.next()) ?? ''), { event: 'end', reason: 'SHUTDOWN' });
  assert.equal(api.state.listeners, 0);
});

test('a client that stops reading loses the oldest, is told how many, and costs bounded memory', async () => {
  const api = await startHarness({ config: { subscriberBufferEvents: 100 } });
  const curl = api.state.addProcess({ args: ['curl', 'x'.repeat(4096)] });
  const flow = api.state.addFlow({ client: curl });
  const socket = connect(api.api.port, '127.0.0.1');
  socket.write('GET /v1/flows/stream?windowMs=10 HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await once(socket, 'readable');
  socket.pause();
  let sent = 0;
  while (api.api.stats().dropped === 0) {
    for (let i = 0; i < 50; i++, sent++) api.state.emit({ kind: 'flow', event: 'STARTED', flow });
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.match(await (await api.get('/metrics')).text(), /procflow_lost_total\{place="subscriber"\} [1-9]/);
  const text = await readUntil(socket, /event: dropped\ndata: \{"count":\d+\}/);
  const lost = Number(/event: dropped\ndata: \{"count":(\d+)\}/.exec(text)?.[1]);
  assert.ok(lost > 0 && lost <= sent);
  socket.destroy();
});

test('a client that never reads again is cut off', async () => {
  const api = await startHarness({ stuckMs: 100, config: { subscriberBufferEvents: 100 } });
  const flow = api.state.addFlow({ client: api.state.addProcess({ args: ['curl', 'x'.repeat(4096)] }) });
  const socket = connect(api.api.port, '127.0.0.1');
  socket.write('GET /v1/flows/stream?windowMs=10 HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await once(socket, 'readable');
  socket.pause();
  const emit = setInterval(() => {
    for (let i = 0; i < 200; i++) api.state.emit({ kind: 'flow', event: 'STARTED', flow });
  }, 5);
  while (api.api.stats().subscribers > 0) await new Promise((resolve) => setImmediate(resolve));
  clearInterval(emit);
  socket.destroy();
});

test('who leaves is forgotten', async () => {
  const api = await startHarness();
  const reader = new Reader(api, '\n\n');
  await reader.open('/v1/flows/stream');
  assert.equal(api.api.stats().subscribers, 1);
  reader.close();
  while (api.api.stats().subscribers > 0) await new Promise((resolve) => setImmediate(resolve));
});

test('what cannot be streamed is refused before the stream begins', async () => {
  const api = await startHarness();
  for (const [path, accept, status] of [
    ['/v1/flows/stream?proces=x', '*/*', 400],
    ['/v1/flows/stream?windowMs=1', '*/*', 400],
    ['/v1/flows/stream?events=begun', '*/*', 400],
    ['/v1/flows/stream?address=nowhere', '*/*', 400],
    ['/v1/flows/stream', 'application/json', 406],
  ] as const) {
    const response = await api.get(path, { headers: { accept } });
    assert.equal(response.status, status, path);
    assert.match(response.headers.get('content-type') ?? '', /problem\+json/);
  }
});

async function readUntil(socket: Socket, pattern: RegExp): Promise<string> {
  let text = '';
  socket.on('data', (chunk: Buffer) => (text = (text + chunk.toString('latin1')).slice(-1_000_000)));
  socket.resume();
  while (!pattern.test(text)) await once(socket, 'data');
  return text;
}
