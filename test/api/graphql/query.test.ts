import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { execute, parse } from 'graphql';
import { Executor } from '../../../src/api/graphql/executor.js';
import { loadSchema } from '../../../src/api/graphql/schema.js';
import { Caller, Queries } from '../../../src/api/query/index.js';
import { LOCAL } from '../../../src/api/auth/index.js';
import type { Flow, Process } from '../../../src/correlate/model.js';
import { startHarness, type Harness } from '../harness.js';

let api: Harness;
let curl: Process;
let worker: Process;
let flow: Flow;

before(async () => {
  api = await startHarness();
  const { state } = api;
  const master = state.addProcess({ name: 'nginx', uid: 0, executable: '/usr/sbin/nginx' });
  worker = state.addProcess({ name: 'nginx', uid: 33, parent: master });
  curl = state.addProcess({ args: ['curl', '-s', 'http://localhost/a b'] });
  flow = state.addFlow({ client: curl, server: worker, sent: 77, received: 2 ** 53 });
  flow.server.sent.octets = 2 ** 60;
  flow.noteBits = 1 << 7;
  state.addExchange(flow, { durationMs: 300 });
  state.cpuMs.set(curl, 7);
  for (let i = 0; i < 20; i++) state.addFlow({ client: curl, serverAddress: '93.184.216.34', serverPort: 443 });
});

const WHOLE = `fragment P on Process { id pid name executable commandLine arguments argumentsTruncated gid cgroup unit startTime
    endTime exitCode exitSignal startedBefore user { id uid name } parent { name } container { id runtime podUid }
    images { name executable arguments startTime } host { name } }
  fragment E on Endpoint { address port hostname local process { ...P } creator { pid } user { name }
    processes { process { name } sentPayloadBytes receivedPayloadBytes } container { id }
    sent { octets packets payloadBytes messages retransmittedPackets octetsDerived tcpFlags } }
  query Q($where: FlowFilter, $first: Int = 3, $withHost: Boolean = true) {
    host { id name bootId kernel agentVersion agentPid startTime source sourceReason tiers { name state reason since }
      losses { place count } liveFlows flowsStarted agentCpuTimeMs agentMemoryBytes programRuns { program runs } lastPollMs
      governor { budgetPercent loadPercent calibration calibrationReason programs { name runs runsPerSecond costNs loadPercent } shedSince shedSpans { tier from to } } subscribers }
    hosts { name }
    flows(where: $where, first: $first, orderBy: {field: PAYLOAD_BYTES}) {
      totalCount pageInfo { hasNextPage hasPreviousPage }
      edges { node { id } }
      nodes { __typename id communityId host @include(if: $withHost) { name } protocol protocolNumber ipVersion direction state
        client { ...E } server { ...E } startTime lastTime endTime durationMs endReason startedBefore rttMicros minRttMicros
        application { protocol name category confidence serverName alpn tlsVersion httpHost httpUserAgent dnsQuery dnsReplyCode sshClient sshServer }
        notes { code description } }
    }
    flowTotals(groupBy: [PROCESS, PORT]) { keys { dimension value } process { name } port flows octets payloadBytes sent { octets } received { octets } }
    processes(where: {process: {eq: "nginx"}}) { nodes { name children { totalCount nodes { name } } flows(first: 2) { totalCount nodes { id } } } }
    exchanges(where: {minDurationMs: 200}) { totalCount edges { node { id target } } nodes { status outcome endTime
      usage { cpuTimeMs window { from } } concurrentProcesses { process { name } usage { cpuTimeMs } } notes { code } thread { tid name }
      flow { exchanges { totalCount } client { process { name } } } } }
    users(orderBy: {field: NAME}) { totalCount nodes { id uid name processes { totalCount } flows(where: {port: {eq: 80}}) { totalCount } } }
    user(name: "ada") { uid }
  }`;

test('the whole schema answers, over HTTP, interpreted and compiled alike', async () => {
  const answers = [];
  for (let i = 0; i < 5; i++) answers.push(await api.graphql(WHOLE));
  const [first, ...others] = answers;
  assert.equal(first?.errors, undefined);
  for (const other of others) assert.deepEqual(other, first);
  const { flows, user } = first?.data as unknown as {
    flows: { nodes: Record<string, unknown>[]; totalCount: number };
    user: unknown;
  };
  assert.equal(flows.totalCount, 21);
  assert.deepEqual(user, { uid: 1000 });
  const node = flows.nodes[0] as {
    client: { process: unknown };
    server: { sent: unknown; process: { parent: unknown } };
    notes: unknown;
    startTime: string;
  };
  assert.match(node.startTime, /^2026-11-23T08:43:09\.064\d{3}Z$/);
  assert.deepEqual(node.server.process.parent, { name: 'nginx' });
  assert.equal((node.server.sent as { octets: unknown }).octets, '1152921504606846976', 'a string above 2^53');
  assert.deepEqual(
    (node.notes as { code: string }[]).map(({ code }) => code),
    ['TCP_FLAGS_TIER_OFF'],
  );
});

test('compiled and interpreted execution give the same, errors included', async () => {
  const schema = loadSchema();
  const queries = new Queries(api.state, 1000);
  const documents: readonly [string, Record<string, unknown>][] = [
    [WHOLE, {}],
    [WHOLE, { where: { port: { in: [80, 443] }, not: { protocol: ['UDP'] } }, first: 1, withHost: false }],
    ['{ a: flows(first: 0) { totalCount } b: flows(first: 1) { totalCount } }', {}],
    ['{ flow(id: "x") { id } user { name } nodes(ids: ["x", "y"]) { id } }', {}],
    ['query($id: ID!) { node(id: $id) { id ... on Flow { state } ... on Process { pid } } }', { id: flow.id }],
    ['query($from: DateTime) { flows(from: $from) { totalCount } }', { from: '-1h' }],
    ['query($from: DateTime) { flows(from: $from) { totalCount } }', { from: 'yesterday' }],
    ['query($n: Long) { flows(where: {octets: {gte: $n}}) { totalCount } }', { n: '9007199254740993' }],
  ];
  for (const [text, variables] of documents) {
    const document = parse(text);
    const context = {
      queries,
      caller: new Caller(LOCAL.scopes, api.state.now, 5000),
      host: () => ({ ...api.state.status(), subscribers: 0, exporters: [] }),
    };
    const interpreted = execute({ schema, document, variableValues: variables, contextValue: context });
    const executor = new Executor(schema);
    const run = () => executor.run({ key: text, document, operationName: null, variables, context });
    await run();
    await run();
    const answered = await run();
    const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
    const [a, b] = [plain(interpreted), plain(answered)] as {
      data?: unknown;
      errors?: { message: string; path?: unknown }[];
    }[];
    assert.deepEqual(b?.data ?? null, a?.data ?? null, text);
    assert.deepEqual(
      b?.errors?.map(({ path }) => path),
      a?.errors?.map(({ path }) => path),
      text,
    );
  }
});

test('a node is found by its id alone', async () => {
  const { data } = await api.graphql(`{ users { nodes { id name } } }`);
  const users = (data as { users: { nodes: { id: string; name: string }[] } }).users.nodes;
  const ids = [flow.id, curl.id, users[0]?.id ?? '', 'nothing', '', '\u0000', 'u_', 'u_!!!'];
  const answer = await api.graphql('query($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on User { name } } }', {
    ids,
  });
  assert.deepEqual(
    (answer.data as { nodes: { __typename: string }[] }).nodes.map(
      (node: { __typename: string } | null) => node?.__typename ?? null,
    ),
    ['Flow', 'Process', 'User', null, null, null, null, null],
  );
});

test('mistakes are told with a code, and the agent answers on', async () => {
  const cases: readonly [
    query: string,
    variables: Record<string, unknown> | undefined,
    status: number,
    code: string,
    message: RegExp,
  ][] = [
    ['{ flows(first: -1) { totalCount } }', undefined, 200, 'INVALID_ARGUMENT', /first is 1 to 10000, not -1/],
    ['{ flows(first: 10001) { totalCount } }', undefined, 200, 'INVALID_ARGUMENT', /not 10001/],
    [
      '{ flows(first: 99999999999) { totalCount } }',
      undefined,
      400,
      'GRAPHQL_VALIDATION_FAILED',
      /Int cannot represent/,
    ],
    ['{ flows(after: "x") { totalCount } }', undefined, 200, 'INVALID_CURSOR', /not made by this agent/],
    [
      '{ flows(where: {address: {in: ["10.0.0.0/99"]}}) { totalCount } }',
      undefined,
      200,
      'INVALID_ARGUMENT',
      /neither an IP address nor a prefix/,
    ],
    [
      '{ flows(where: {proces: {eq: "x"}}) { totalCount } }',
      undefined,
      400,
      'GRAPHQL_VALIDATION_FAILED',
      /Did you mean "process"/,
    ],
    ['{ flows(where: {process: "x"}) { totalCount } }', undefined, 400, 'GRAPHQL_VALIDATION_FAILED', /StringFilter/],
    ['{ flowz { totalCount } }', undefined, 400, 'GRAPHQL_VALIDATION_FAILED', /Did you mean "flow/],
    ['{ flows(', undefined, 400, 'GRAPHQL_PARSE_FAILED', /Syntax Error/],
    ['query($t: DateTime) { flows(from: $t) { totalCount } }', { t: 'soon' }, 400, 'BAD_USER_INPUT', /is not a time/],
    ['{ flows(from: "soon") { totalCount } }', undefined, 400, 'GRAPHQL_VALIDATION_FAILED', /is not a time/],
    [
      'query($w: FlowFilter) { flows(where: $w) { totalCount } }',
      { w: { protocol: ['QUIC'] } },
      400,
      'BAD_USER_INPUT',
      /QUIC/,
    ],
    [
      'query($w: FlowFilter) { flows(where: $w) { totalCount } }',
      { w: { port: { eq: 1e10 } } },
      400,
      'BAD_USER_INPUT',
      /32-bit/,
    ],
    ['{ user { name } }', undefined, 200, 'INVALID_ARGUMENT', /uid or a name/],
    ['{ flowTotals(groupBy: []) { flows } }', undefined, 200, 'INVALID_ARGUMENT', /groupBy/],
    ['query A { host { name } } query B { host { name } }', undefined, 400, 'BAD_USER_INPUT', /operation/],
    ['mutation { x }', undefined, 400, 'BAD_USER_INPUT', /no mutations/],
    [
      'fragment A on Query { ...B } fragment B on Query { ...A } { ...A }',
      undefined,
      400,
      'GRAPHQL_VALIDATION_FAILED',
      /itself/,
    ],
    ['subscription { flowEvents { dropped } }', undefined, 400, 'BAD_USER_INPUT', /ubscription/],
  ];
  for (const [query, variables, status, code, message] of cases) {
    const answer = await api.graphql(query, variables);
    assert.equal(answer.errors?.[0]?.extensions.code, code, `${query}: ${JSON.stringify(answer)}`);
    assert.match(answer.errors[0].message, message, query);
    assert.equal(answer.status, status, query);
  }
  assert.deepEqual(api.logged, [], 'none of it was our fault');
});

test('depth, cost and size are bounded, with an error that names the limit', async () => {
  const parents = 'parent { '.repeat(12) + 'pid' + ' }'.repeat(12);
  const cases: readonly [string, Record<string, unknown> | undefined, number, string, RegExp][] = [
    [`{ processes { nodes { ${parents} } } }`, undefined, 422, 'QUERY_TOO_DEEP', /at most 12 .*maxDepth/],
    [
      '{ processes(first: 1000) { nodes { flows(first: 1000) { nodes { id } } } } }',
      undefined,
      422,
      'QUERY_TOO_COMPLEX',
      /at most 500000 .*maxCost/,
    ],
    [
      'query($n: Int) { processes(first: $n) { nodes { flows(first: $n) { nodes { id } } } } }',
      { n: 1000 },
      422,
      'QUERY_TOO_COMPLEX',
      /maxCost/,
    ],
    [
      'query($n: Int = 1000) { processes(first: $n) { nodes { flows(first: $n) { nodes { id } } } } }',
      undefined,
      422,
      'QUERY_TOO_COMPLEX',
      /maxCost/,
    ],
    [
      `{ ${Array.from({ length: 900 }, (_, i) => `a${i}: flows(first: 1000) { totalCount }`).join(' ')} }`,
      undefined,
      400,
      'GRAPHQL_PARSE_FAILED',
      /tokens/,
    ],
    [
      `{ ${Array.from({ length: 300 }, (_, i) => `a${i}: flows(first: 9999) { totalCount }`).join(' ')} }`,
      undefined,
      422,
      'QUERY_TOO_COMPLEX',
      /maxCost/,
    ],
    [`{ ${'{'.repeat(100_000)}`, undefined, 400, 'GRAPHQL_PARSE_FAILED', /Syntax Error/],
    [
      'query($ids: [ID!]!) { nodes(ids: $ids) { id } }',
      { ids: Array.from({ length: 10_000 }, String) },
      200,
      'INVALID_ARGUMENT',
      /at most 1000 ids/,
    ],
  ];
  for (const [query, variables, status, code, message] of cases) {
    const answer = await api.graphql(query, variables);
    assert.equal(
      answer.errors?.[0]?.extensions.code,
      code,
      `${query.slice(0, 80)}: ${JSON.stringify(answer).slice(0, 300)}`,
    );
    assert.match(answer.errors[0].message, message);
    assert.equal(answer.status, status);
  }
});

test('fragments spread by fragments cost time only once', async () => {
  const levels = Array.from(
    { length: 40 },
    (_, i) => `fragment F${i} on Query { ${i === 39 ? 'host { name }' : `...F${i + 1} ...F${i + 1}`} }`,
  );
  const answer = await api.graphql(`{ ...F0 } ${levels.join(' ')}`);
  assert.equal(answer.errors?.[0]?.extensions.code, 'QUERY_TOO_COMPLEX');
});

test('deeply nested variables are refused before anything recurses into them', async () => {
  const where = `${'{"not":'.repeat(20_000)}{}${'}'.repeat(20_000)}`;
  const response = await api.get('/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: `{"query":"query($w: FlowFilter) { flows(where: $w) { totalCount } }","variables":{"w":${where}}}`,
  });
  const answer = (await response.json()) as { errors: { extensions: { code: string } }[] };
  assert.equal(answer.errors[0]?.extensions.code, 'QUERY_TOO_DEEP');
  assert.equal(response.status, 422);
});

test('a query that takes too long is ended by its deadline', async () => {
  const slow = await startHarness({ config: { queryTimeoutMs: -1 } });
  const answer = await slow.graphql('{ flows { totalCount } }');
  assert.equal(answer.errors?.[0]?.extensions.code, 'TIMEOUT');
});

test('requests that are none are refused as GraphQL clients expect it', async () => {
  const cases: readonly [RequestInit & { headers: Record<string, string> }, number, string][] = [
    [{ method: 'POST', headers: { 'content-type': 'application/json' }, body: '{' }, 400, 'BAD_USER_INPUT'],
    [{ method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }, 400, 'BAD_USER_INPUT'],
    [
      { method: 'POST', headers: { 'content-type': 'application/json' }, body: '[{"query":"{host{name}}"}]' },
      400,
      'BAD_USER_INPUT',
    ],
    [
      { method: 'POST', headers: { 'content-type': 'text/plain' }, body: '{"query":"{host{name}}"}' },
      400,
      'BAD_USER_INPUT',
    ],
    [
      { method: 'POST', headers: { 'content-type': 'application/json' }, body: `{"query":"${'x'.repeat(300_000)}"}` },
      413,
      'PAYLOAD_TOO_LARGE',
    ],
    [
      { method: 'POST', headers: { 'content-type': 'application/json', 'content-encoding': 'zstd' }, body: '{}' },
      415,
      'UNSUPPORTED_MEDIA_TYPE',
    ],
  ];
  for (const [init, status, code] of cases) {
    const response = await api.get('/graphql', init);
    const text = await response.text();
    assert.equal(response.status, status, text);
    assert.equal(
      (JSON.parse(text) as { errors: { extensions: { code: string } }[] }).errors[0]?.extensions.code,
      code,
      text,
    );
  }
  assert.equal((await api.get('/graphql', { method: 'DELETE' })).status, 405);
  // A link or an image on some page must not be able to run a query.
  assert.equal((await api.get('/graphql?query={host{name}}')).status, 400);
});

test('our own bugs are logged and not shown', async () => {
  const broken = await startHarness();
  broken.state.user = () => {
    throw new TypeError('secret detail');
  };
  broken.state.addProcess();
  for (let i = 0; i < 4; i++) {
    const answer = await broken.graphql('{ processes { nodes { user { name } } } }');
    assert.deepEqual(answer.errors?.[0]?.extensions, { code: 'INTERNAL' });
    assert.equal(answer.errors[0].message, 'Internal error');
  }
  assert.match(broken.logged.join(''), /secret detail/);
});

test('hostile names come out as valid JSON', async () => {
  const own = await startHarness();
  const name = '\u0000\u001b[2J</script>\ud800"\\\u2028';
  const process = own.state.addProcess({ name, args: [name, '\\ud800', 'x'.repeat(4096)] });
  own.state.addFlow({ client: process });
  for (let i = 0; i < 4; i++) {
    const response = await own.get('/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ processes { nodes { name arguments } } }' }),
    });
    const text = new TextDecoder('utf-8', { fatal: true }).decode(await response.arrayBuffer());
    assert.doesNotMatch(text, /\\ud800(?!")/);
    const answer = JSON.parse(text) as { data: { processes: { nodes: { name: string; arguments: string[] }[] } } };
    assert.equal(answer.data.processes.nodes[0]?.name, name.replace('\ud800', '\ufffd'));
    assert.equal(answer.data.processes.nodes[0].arguments[1], '\\ud800');
  }
});

test('introspection is on, and every type, field and argument is described', async () => {
  const { data } = await api.graphql(`{ __schema { types { name kind description
    fields { name description args { name description } } inputFields { name description } enumValues { name description } } } }`);
  type Named = { name: string; description: string | null };
  type Type = Named & {
    kind: string;
    fields: (Named & { args: Named[] })[] | null;
    inputFields: Named[] | null;
    enumValues: Named[] | null;
  };
  const bare: string[] = [];
  for (const type of (data as { __schema: { types: Type[] } }).__schema.types) {
    if (type.name.startsWith('__')) continue;
    const parts = [...(type.fields ?? []), ...(type.inputFields ?? []), ...(type.enumValues ?? [])];
    for (const part of parts) if (!part.description) bare.push(`${type.name}.${part.name}`);
    for (const field of type.fields ?? [])
      for (const arg of field.args) if (!arg.description) bare.push(`${type.name}.${field.name}(${arg.name})`);
    if (!type.description && type.kind !== 'ENUM' && !['Query', 'Subscription'].includes(type.name))
      bare.push(type.name);
  }
  assert.deepEqual(bare, []);
});
