import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient, type Client, type SubscribePayload } from 'graphql-ws';
import WebSocket from 'ws';
import { FakeTokens, startHarness, type Harness } from '../harness.js';

interface Events {
  readonly events: readonly {
    readonly kind: string;
    readonly flow?: { readonly id: string };
    readonly process?: { readonly name: string };
  }[];
  readonly dropped: number;
}

/** A subscription, its results one by one. */
class Subscription {
  readonly #results: unknown[] = [];
  #wake: (() => void) | undefined;
  readonly done: Promise<void>;
  readonly stop: () => void;

  constructor(client: Pick<Client, 'subscribe'>, payload: SubscribePayload) {
    let stop: () => void = () => undefined;
    this.done = new Promise((resolve, reject) => {
      stop = client.subscribe(payload, {
        next: (result) => {
          this.#results.push(result);
          this.#wake?.();
        },
        error: (error: unknown) => reject(error instanceof Error ? error : new Error(JSON.stringify(error))),
        complete: resolve,
      });
    });
    this.done.catch(() => undefined);
    this.stop = stop;
  }

  async next(): Promise<Events> {
    while (this.#results.length === 0) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    const result = this.#results.shift() as { data?: Record<string, Events>; errors?: unknown };
    const [events] = Object.values(result.data ?? {});
    assert.ok(events, JSON.stringify(result));
    return events;
  }
}

function wsClient(api: Harness, more: Record<string, unknown> = {}): Client {
  return createClient({
    url: `${api.url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    lazyCloseTimeout: 0,
    ...more,
  });
}

async function subscribers(api: Harness, count: number): Promise<void> {
  while (api.api.stats().subscribers !== count) await new Promise((resolve) => setImmediate(resolve));
}

const FLOWS =
  'subscription($where: FlowFilter) { flowEvents(where: $where, windowMs: 10, events: [STARTED, ENDED]) { dropped events { kind flow { id client { process { name } } } } } }';

for (const transport of ['ws', 'sse'] as const) {
  test(`events come by ${transport}, filtered, in lists; a subscription that is left is forgotten`, async () => {
    const api = await startHarness();
    const client =
      transport === 'ws'
        ? wsClient(api)
        : (createSseClient({ url: `${api.url}/graphql/stream`, retryAttempts: 0 }) as unknown as Client);
    const [curl, wget] = [api.state.addProcess(), api.state.addProcess({ name: 'wget' })];
    const subscription = new Subscription(client, { query: FLOWS, variables: { where: { process: { eq: 'curl' } } } });
    await subscribers(api, 1);
    api.state.start({ client: wget });
    const flow = api.state.start({ client: curl });
    api.state.end(flow);
    assert.deepEqual(await subscription.next(), {
      dropped: 0,
      events: ['STARTED', 'ENDED'].map((kind) => ({
        kind,
        flow: { id: flow.id, client: { process: { name: 'curl' } } },
      })),
    });
    subscription.stop();
    await subscribers(api, 0);
    await client.dispose();
  });

  test(`the agent's stop completes a subscription by ${transport}`, async () => {
    const api = await startHarness();
    const client =
      transport === 'ws'
        ? wsClient(api)
        : (createSseClient({ url: `${api.url}/graphql/stream`, retryAttempts: 0 }) as unknown as Client);
    const subscription = new Subscription(client, { query: FLOWS });
    await subscribers(api, 1);
    const begun = performance.now();
    await api.api.stop();
    await subscription.done;
    assert.ok(performance.now() - begun < 1500);
  });
}

test('many subscribers of one kind are one group, and those of another kind are not', async () => {
  const api = await startHarness();
  const clients = Array.from({ length: 5 }, () => wsClient(api));
  const same = clients.map((client) => new Subscription(client, { query: FLOWS }));
  const narrower = new Subscription(clients[0] as Client, { query: FLOWS, variables: { where: { port: { eq: 1 } } } });
  await subscribers(api, 6);
  const [a, b] = [api.state.start({ client: null, serverPort: 1 }), api.state.start({ client: null, serverPort: 2 })];
  const lists = await Promise.all(same.map((subscription) => subscription.next()));
  for (const list of lists)
    assert.deepEqual(
      list.events.map(({ flow }) => flow?.id),
      [a.id, b.id],
    );
  assert.deepEqual(
    (await narrower.next()).events.map(({ flow }) => flow?.id),
    [a.id],
  );
  for (const client of clients) await client.dispose();
});

test('process events and queries go over the same socket', async () => {
  const api = await startHarness();
  const client = wsClient(api);
  const subscription = new Subscription(client, {
    query: 'subscription { processEvents(windowMs: 10) { dropped events { kind process { name } } } }',
  });
  await subscribers(api, 1);
  api.state.emit({ kind: 'process', event: 'STARTED', process: api.state.addProcess() });
  assert.deepEqual((await subscription.next()).events, [{ kind: 'STARTED', process: { name: 'curl' } }]);
  for await (const result of client.iterate({ query: '{ processes { totalCount } }' })) {
    assert.deepEqual(result.data, { processes: { totalCount: 1 } });
  }
  await client.dispose();
});

test('mistakes end the operation with a code, and not the connection', async () => {
  const api = await startHarness();
  const client = wsClient(api);
  const cases: readonly [SubscribePayload, RegExp][] = [
    [{ query: 'subscription {' }, /GRAPHQL_PARSE_FAILED/],
    [{ query: 'subscription { flowEvent { dropped } }' }, /GRAPHQL_VALIDATION_FAILED/],
    [{ query: 'subscription { flowEvents(windowMs: 1) { dropped } }' }, /INVALID_ARGUMENT/],
    [{ query: 'subscription { a: flowEvents { dropped } b: flowEvents { dropped } }' }, /GRAPHQL_VALIDATION_FAILED/],
    [{ query: FLOWS, variables: { where: { address: { in: ['x'] } } } }, /INVALID_ARGUMENT/],
    [{ query: FLOWS, variables: { where: 5 } }, /BAD_USER_INPUT/],
    [
      {
        query: `subscription { flowEvents { events { flow { client { process { ${'parent { '.repeat(12)} pid ${'} '.repeat(12)} } } } } } }`,
      },
      /QUERY_TOO_DEEP/,
    ],
  ];
  for (const [payload, expected] of cases) {
    await assert.rejects(new Subscription(client, payload).done, expected, payload.query);
  }
  assert.deepEqual(api.logged, []);
  await client.dispose();
});

test('a connection has only so many subscriptions', async () => {
  const api = await startHarness({ config: { maxSubscriptionsPerConnection: 2 } });
  const client = wsClient(api, { lazy: false });
  const [first, second] = [new Subscription(client, { query: FLOWS }), new Subscription(client, { query: FLOWS })];
  await subscribers(api, 2);
  await assert.rejects(new Subscription(client, { query: FLOWS }).done, /TOO_MANY_SUBSCRIPTIONS.*/);
  first.stop();
  await subscribers(api, 1);
  const third = new Subscription(client, { query: FLOWS });
  await subscribers(api, 2);
  for (const subscription of [second, third]) subscription.stop();
  await client.dispose();
});

test('a token may come with the first message, and a wrong one closes the connection', async () => {
  const api = await startHarness({
    config: { host: '127.0.0.1' },
    tokens: new FakeTokens({ pf_flows: ['flows:read'] }),
  });
  const client = wsClient(api, { connectionParams: { authorization: 'Bearer pf_flows' } });
  await assert.rejects(
    new Subscription(client, { query: 'subscription { processEvents { dropped } }' }).done,
    /FORBIDDEN/,
  );
  const flows = new Subscription(client, {
    query:
      'subscription { flowEvents(windowMs: 10) { dropped events { flow { client { process { commandLine } } } } } }',
  });
  await subscribers(api, 1);
  api.state.start({ client: api.state.addProcess() });
  assert.deepEqual((await flows.next()).events, [{ flow: { client: { process: { commandLine: null } } } }]);
  await client.dispose();
  const wrong = new WebSocket(`${api.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  await once(wrong, 'open');
  wrong.send(JSON.stringify({ type: 'connection_init', payload: { authorization: 'Bearer pf_wrong' } }));
  const [code] = (await once(wrong, 'close')) as [number];
  assert.equal(code, 4403);
});

/** A subscriber that reads only when it is told to. */
async function lazyReader(api: Harness): Promise<{ socket: WebSocket; emit: () => void }> {
  const flow = api.state.addFlow({ client: api.state.addProcess({ args: ['x'.repeat(8192)] }) });
  const socket = new WebSocket(`${api.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  await once(socket, 'open');
  socket.send('{"type":"connection_init"}');
  await once(socket, 'message');
  const query =
    'subscription { flowEvents(windowMs: 10) { dropped events { flow { id client { process { arguments } } } } } }';
  socket.send(JSON.stringify({ id: 'a"b', type: 'subscribe', payload: { query } }));
  await subscribers(api, 1);
  socket.pause();
  const emit = (): void => {
    for (let i = 0; i < 50; i++) api.state.emit({ kind: 'flow', event: 'STARTED', flow });
  };
  return { socket, emit };
}

test('a subscriber that reads too slowly loses the oldest and is told how many', async () => {
  const api = await startHarness({ config: { subscriberBufferEvents: 100 } });
  const { socket, emit } = await lazyReader(api);
  while (api.api.stats().dropped === 0) {
    emit();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const told = new Promise<number>((resolve) => {
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString()) as { id: string; payload: { data: { flowEvents: Events } } };
      assert.equal(message.id, 'a"b');
      if (message.payload.data.flowEvents.dropped > 0) resolve(message.payload.data.flowEvents.dropped);
    });
  });
  socket.resume();
  assert.ok((await told) > 0);
  socket.terminate();
});

test('a subscriber that never reads again is cut off', async () => {
  const api = await startHarness({ stuckMs: 100, config: { subscriberBufferEvents: 100 } });
  const { socket, emit } = await lazyReader(api);
  const timer = setInterval(emit, 2);
  await subscribers(api, 0);
  clearInterval(timer);
  socket.terminate();
});

test('messages that break the protocol close the connection and nothing else', async () => {
  const api = await startHarness();
  const url = `${api.url.replace('http', 'ws')}/graphql`;
  for (const [messages, expected] of [
    [['nonsense'], 4400],
    [['{"type":"subscribe","id":"1","payload":{"query":"{host{name}}"}}'], 4401],
    [['{"type":"connection_init"}', '{"type":"connection_init"}'], 4429],
    [['x'.repeat(300_000)], 1009],
  ] as const) {
    const socket = new WebSocket(url, 'graphql-transport-ws');
    await once(socket, 'open');
    for (const message of messages) socket.send(message);
    const [code] = (await once(socket, 'close')) as [number];
    assert.equal(code, expected);
  }
  const other = new WebSocket(url, 'graphql-ws');
  other.on('error', () => undefined);
  await new Promise((resolve) => other.on('close', resolve));
  assert.equal((await api.get('/healthz')).status, 200);
});

test('SSE requests that are none are refused', async () => {
  const api = await startHarness();
  const post = (body: string, headers: Record<string, string>) =>
    api.get('/graphql/stream', { method: 'POST', body, headers });
  assert.equal((await post('{}', { 'content-type': 'text/plain' })).status, 415);
  assert.equal((await post('{}', { 'content-type': 'application/json', accept: 'text/event-stream' })).status, 400);
  assert.equal((await api.get('/graphql/stream', { method: 'PUT' })).status, 405);
  const answer = await api.get(`/graphql/stream?query=${encodeURIComponent('{ host { name } }')}`, {
    headers: { accept: 'text/event-stream' },
  });
  assert.equal(
    await answer.text(),
    'event: next\ndata: {"data":{"host":{"name":"testhost"}}}\n\nevent: complete\ndata:\n\n',
  );
  const bad = await post(JSON.stringify({ query: 'subscription { flowEvents(windowMs: 1) { dropped } }' }), {
    'content-type': 'application/json',
    accept: 'text/event-stream',
  });
  assert.match(await bad.text(), /INVALID_ARGUMENT[\s\S]*event: complete/);
});
