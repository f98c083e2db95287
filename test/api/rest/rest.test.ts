import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { parse } from 'yaml';
import { loadSpec } from '../../../src/api/rest/spec.js';
import type { Flow, Process } from '../../../src/correlate/model.js';
import { startHarness, type Harness } from '../harness.js';

let api: Harness;
let master: Process;
let curl: Process;
let flow: Flow;

before(async () => {
  api = await startHarness();
  const { state } = api;
  master = state.addProcess({ name: 'nginx', uid: 0, executable: '/usr/sbin/nginx' });
  const worker = state.addProcess({ name: 'nginx', uid: 33, parent: master });
  curl = state.addProcess({ args: ['curl', '-s', 'http://localhost/'] });
  curl.container = { id: 'abc', runtime: 'docker', podUid: null };
  flow = state.addFlow({ client: curl, server: worker, sent: 77, received: 2_000_000 });
  flow.noteBits = 1 << 7;
  flow.client.sent.tcpFlagBits = 0x12;
  for (let i = 0; i < 9; i++) state.addFlow({ client: curl, serverAddress: '10.1.2.3', serverPort: 443, sent: i });
  state.addFlow({
    client: state.addProcess({ name: '=cmd|"x"', uid: 0 }),
    protocol: 'UDP',
    serverAddress: '2001:db8::1',
    serverPort: 53,
  });
});

interface FlowList {
  flows: { id: string; client: { process: { name: string } | null }; server: { port: number } }[];
  totalCount: number;
  nextPageToken?: string;
}

async function flows(search: string): Promise<FlowList> {
  const response = await api.get(`/v1/flows${search}`);
  const text = await response.text();
  assert.equal(response.status, 200, text);
  return JSON.parse(text) as FlowList;
}

test('the query grammar finds what it says', async () => {
  const cases: readonly [search: string, expected: number][] = [
    ['', 11],
    ['?process=curl', 10],
    ['?process=curl&port=80', 1],
    ['?port=80,53', 2],
    ['?port=80&port=53', 2],
    ['?process~=ngin', 1],
    ['?process^=ng', 1],
    ['?process^=ng,cu', 10],
    ['?octets>=1000000', 1],
    ['?octets%3E=1000000', 1],
    ['?octets<=1000000&octets>=1080', 10],
    ['?not.user=root', 10],
    ['?not.port=443&not.port=53', 1],
    ['?not.port=443&not.protocol=UDP', 1],
    ['?address=10.0.0.0/8', 9],
    ['?address=10.0.0.0/8,2001:db8::/32', 10],
    ['?protocol=udp', 1],
    ['?state=OPEN&direction=local', 1],
    ['?from=-15m', 11],
    ['?to=-15m', 0],
    ['?startTime>=2026-11-23T09:43:09.0%2B01:00', 11],
    ['?startTime>=2026-11-23T09:43:09.0+01:00', 11],
    ['?commandLine~=localhost', 10],
    ['?executable=/usr/sbin/nginx', 0],
    ['?note=tcp_flags_tier_off', 1],
    ['?startedBefore=false', 11],
    ['?process=a\\,b', 0],
    ['?container=abc', 10],
  ];
  for (const [search, expected] of cases) assert.equal((await flows(search)).totalCount, expected, search);
});

test('a flow has its processes as the contract says', async () => {
  const { flows: found } = await flows('?process=nginx');
  const [first] = found as unknown as { client: Record<string, unknown>; server: Record<string, unknown> }[];
  assert.deepEqual(first?.client['process'], {
    id: curl.id,
    pid: curl.pid,
    name: 'curl',
    executable: '/usr/bin/curl',
    commandLine: 'curl -s http://localhost/',
    user: { uid: 1000, name: 'ada' },
    parent: null,
  });
  assert.deepEqual((first.server['process'] as { parent: unknown }).parent, {
    id: master.id,
    pid: master.pid,
    name: 'nginx',
  });
});

test('pages lead on by token and by link until the end', async () => {
  const seen: string[] = [];
  let search = '?process=curl&pageSize=4&orderBy=octets&octets>=1';
  for (;;) {
    const response = await api.get(`/v1/flows${search}`);
    const page = (await response.json()) as FlowList;
    seen.push(...page.flows.map(({ id }) => id));
    const link = response.headers.get('link');
    if (page.nextPageToken === undefined) {
      assert.equal(link, null);
      break;
    }
    const target = /^<\/v1\/flows(\?[^<>]+)>; rel="next"$/.exec(link ?? '')?.[1];
    assert.ok(target?.includes(`pageToken=${page.nextPageToken}`), link ?? '');
    search = target ?? '';
  }
  assert.equal(seen.length, 10);
  assert.equal(new Set(seen).size, 10);
});

test('mistakes name the parameter and the nearest known', async () => {
  const cases: readonly [path: string, status: number, code: string, detail: RegExp][] = [
    ['/v1/flows?proces=curl', 400, 'UNKNOWN_PARAMETER', /"proces"; did you mean "process"/],
    ['/v1/flows?proces~=curl', 400, 'UNKNOWN_PARAMETER', /did you mean "process~"/],
    ['/v1/flows?not.usr=root', 400, 'UNKNOWN_PARAMETER', /did you mean "not.user"/],
    ['/v1/flows?port~=8', 400, 'UNKNOWN_PARAMETER', /port/],
    ['/v1/flows?octets=many', 400, 'INVALID_ARGUMENT', /whole number, not "many"/],
    ['/v1/flows?port=80,x', 400, 'INVALID_ARGUMENT', /not "x"/],
    ['/v1/flows?port=NaN', 400, 'INVALID_ARGUMENT', /NaN/],
    ['/v1/flows?state=OPPEN', 400, 'INVALID_ARGUMENT', /did you mean "OPEN"/],
    ['/v1/flows?protocol=QUIC', 400, 'INVALID_ARGUMENT', /TCP, UDP/],
    ['/v1/flows?orderBy=octet', 400, 'INVALID_ARGUMENT', /did you mean "octets"/],
    ['/v1/flows?pageSize=0', 400, 'INVALID_ARGUMENT', /pageSize is at least 1/],
    ['/v1/flows?pageSize=-5', 400, 'INVALID_ARGUMENT', /pageSize/],
    ['/v1/flows?pageSize=20000', 400, 'INVALID_ARGUMENT', /pageSize is 1 to 10000/],
    ['/v1/flows?pageSize=1&pageSize=2', 400, 'INVALID_ARGUMENT', /more than once/],
    ['/v1/flows?pageToken=xyz', 400, 'INVALID_CURSOR', /pageToken/],
    ['/v1/flows?address=10.0.0.0/99', 400, 'INVALID_ARGUMENT', /address/],
    ['/v1/flows?from=soon', 400, 'INVALID_ARGUMENT', /RFC 3339/],
    ['/v1/flows?fields=client.proces', 400, 'INVALID_ARGUMENT', /did you mean "client.process"/],
    ['/v1/flows?pretty=maybe', 400, 'INVALID_ARGUMENT', /true or false/],
    ['/v1/totals', 400, 'INVALID_ARGUMENT', /groupBy is required/],
    ['/v1/totals?groupBy=proces', 400, 'INVALID_ARGUMENT', /did you mean "process"/],
    ['/v1/status?x=1', 400, 'UNKNOWN_PARAMETER', /"x"/],
    ['/v1/flows/nothing', 404, 'NOT_FOUND', /no flow "nothing"/],
    ['/v1/processes/nothing', 404, 'NOT_FOUND', /no process/],
    ['/v1/processes/nothing/flows', 404, 'NOT_FOUND', /no process/],
    ['/v1/users/nobody-here', 404, 'NOT_FOUND', /nobody-here/],
    ['/v1/flow', 404, 'NOT_FOUND', /did you mean \/v1\/flows/],
    ['/graphql/other', 404, 'NOT_FOUND', /graphql/],
    ['/v1/flows/%E0%A4%A', 400, 'BAD_USER_INPUT', /%/],
    ['/', 404, 'NOT_FOUND', /openapi.yaml/],
  ];
  for (const [path, status, code, detail] of cases) {
    const response = await api.get(path);
    const text = await response.text();
    const problem = JSON.parse(text) as {
      status: number;
      code: string;
      detail?: string;
      errors?: { message: string }[];
    };
    assert.equal(response.status, status, `${path}: ${text}`);
    if (path.startsWith('/graphql')) continue;
    assert.match(response.headers.get('content-type') ?? '', /^application\/problem\+json/);
    assert.equal(problem.code, code, `${path}: ${text}`);
    assert.equal(problem.status, status);
    assert.match(problem.detail ?? '', detail, path);
    assert.ok(validator('Problem')(problem), path);
  }
  const two = (await api.json('/v1/flows?proces=x&pageSize=0')) as { errors: { parameter: string }[]; code: string };
  assert.deepEqual(
    two.errors.map(({ parameter }) => parameter),
    ['proces', 'pageSize'],
  );
});

test('methods are what they should be', async () => {
  assert.equal((await api.get('/v1/flows', { method: 'POST' })).status, 405);
  assert.equal((await api.get('/v1/flows', { method: 'POST' })).headers.get('allow'), 'GET, HEAD, OPTIONS');
  const head = await api.get('/v1/flows', { method: 'HEAD' });
  assert.equal(head.status, 200);
  assert.equal(await head.text(), '');
  const options = await api.get('/v1/flows', { method: 'OPTIONS' });
  assert.equal(options.status, 204);
  assert.equal(options.headers.get('access-control-allow-origin'), null);
  assert.equal(
    (await api.get('/v1/flows/stream', { method: 'HEAD' })).headers.get('content-type'),
    'text/event-stream; charset=utf-8',
  );
});

test('answers can be cut, indented, and had as CSV', async () => {
  const cut = await api.json('/v1/flows?pageSize=1&process=nginx&fields=client.process.name,server.port,client.sent');
  const client = {
    process: { name: 'curl' },
    sent: {
      octets: 117,
      packets: 3,
      payloadBytes: 77,
      messages: null,
      retransmittedPackets: null,
      octetsDerived: true,
      tcpFlags: ['SYN', 'ACK'],
    },
  };
  assert.deepEqual((cut as unknown as FlowList).flows, [{ client, server: { port: 80 } }]);
  assert.match(await (await api.get('/v1/flows?pageSize=1&pretty')).text(), /^\{\n {2}"flows": \[\n {4}\{\n/);
  const plain = await (await api.get('/v1/flows?pageSize=3')).text();
  assert.equal(plain.trimEnd().split('\n').length, 5, 'one flow a line');
  for (const init of [{ headers: { accept: 'text/csv' } }, {}]) {
    const csv = await api.get(
      `/v1/flows?process~=cmd&fields=client.process.name,client.process.commandLine,server${init.headers ? '' : '&format=csv'}`,
      init,
    );
    assert.match(csv.headers.get('content-type') ?? '', /^text\/csv/);
    const [head, row] = (await csv.text()).split('\r\n');
    assert.ok(head?.startsWith('client.process.name,client.process.commandLine,server.address,server.port,'));
    // A formula to a spreadsheet, and quotes in it.
    assert.ok(row?.startsWith(`"'=cmd|""x""","'`), row);
  }
  assert.equal((await api.get('/v1/flows', { headers: { accept: 'image/png' } })).status, 406);
});

test('processes, their flows, their tree, users and totals answer', async () => {
  const processes = (await api.json('/v1/processes?process=nginx&orderBy=pid:asc')) as {
    processes: { name: string; parent: unknown }[];
  };
  assert.deepEqual(
    processes.processes.map(({ parent }) => (parent as { pid: number } | null)?.pid ?? null),
    [null, master.pid],
  );
  const own = (await api.json(`/v1/processes/${curl.id}/flows?port=443`)) as unknown as FlowList;
  assert.equal(own.totalCount, 9);
  const tree = (await api.json(`/v1/processes/${master.id}/tree`)) as {
    process: { children: { name: string }[] };
    truncated: boolean;
  };
  assert.deepEqual(
    tree.process.children.map(({ name }) => name),
    ['nginx'],
  );
  assert.equal(tree.truncated, false);
  const shallow = (await api.json(`/v1/processes/${master.id}/tree?depth=0`)) as { truncated: boolean };
  assert.equal(shallow.truncated, true);
  const users = (await api.json('/v1/users?orderBy=name')) as { users: { name: string }[] };
  assert.deepEqual(
    users.users.map(({ name }) => name),
    ['ada', 'root', 'www-data'],
  );
  const ada = await api.json('/v1/users/ada');
  assert.equal(ada['uid'], 1000);
  const totals = (await api.json('/v1/totals?groupBy=processName,protocol&orderBy=payloadBytes')) as {
    totals: { processName: string }[];
  };
  assert.deepEqual(
    totals.totals
      .slice(0, 2)
      .map(({ processName }) => processName)
      .sort(),
    ['curl', 'nginx'],
  );
  const at = (await api.json('/v1/processes?at=2026-11-23T08:43:09.064030Z')) as { totalCount: number };
  assert.equal(at.totalCount, 2);
});

test('what is answered is what openapi.yaml describes', async () => {
  const cases: readonly [path: string, schema: string][] = [
    ['/v1/flows?pageSize=2', 'FlowList'],
    ['/v1/flows?process=nginx', 'FlowList'],
    [`/v1/flows/${flow.id}`, 'Flow'],
    ['/v1/processes', 'ProcessList'],
    [`/v1/processes/${curl.id}`, 'Process'],
    [`/v1/processes/${curl.id}/flows`, 'FlowList'],
    [`/v1/processes/${master.id}/tree`, 'ProcessTree'],
    ['/v1/users', 'UserList'],
    ['/v1/users/root', 'User'],
    ['/v1/totals?groupBy=process,user,container,remotePrefix,port,host', 'FlowTotalList'],
    ['/v1/status', 'Host'],
  ];
  for (const [path, schema] of cases) {
    const validate = validator(schema);
    assert.ok(validate(await api.json(path)), `${path}: ${JSON.stringify(validate.errors)}`);
  }
});

test('probes, metrics and the description are there', async () => {
  assert.equal(await (await api.get('/healthz')).text(), 'ok\n');
  assert.equal((await api.get('/readyz')).status, 200);
  const unready = await startHarness({ ready: () => false });
  assert.equal((await unready.get('/readyz')).status, 503);
  assert.equal((await unready.get('/healthz')).status, 200);
  assert.match(await (await api.get('/openapi.yaml')).text(), /^# .*\nopenapi: 3\.1\.0/);
  api.state.lost = 7;
  const metrics = await (await api.get('/metrics')).text();
  assert.match(metrics, /^procflow_lost_total\{place="ringBuffer\.socket"\} 7$/m);
  assert.match(metrics, /^procflow_requests_total\{operation="listFlows",status="4xx"\} \d+$/m);
  for (const line of metrics.trimEnd().split('\n'))
    assert.match(line, /^(# (HELP|TYPE) .+|[a-z_]+(\{.+\})? -?[\d.e+-]+)$/);
});

test('a thousand rows are answered in one piece, and a request line too long is refused', async () => {
  const own = await startHarness();
  const process = own.state.addProcess();
  for (let i = 0; i < 5000; i++) own.state.addFlow({ client: process });
  const list = (await own.json('/v1/flows?pageSize=5000')) as unknown as FlowList;
  assert.equal(list.flows.length, 5000);
  assert.equal((await own.get(`/v1/flows?process=${'x'.repeat(5000)}`)).status, 400);
  assert.equal((await own.get(`/v1/flows?process=${'x'.repeat(50_000)}`)).status, 431);
  assert.equal((await own.get(`/v1/flows?${'port=1&'.repeat(300)}`)).status, 400);
});

const document = parse(loadSpec().text, { maxAliasCount: -1 }) as { components: { schemas: object } };
const ajv = new Ajv2020({ strict: false, formats: { 'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/ } });
ajv.addSchema({ $id: 'openapi', components: document.components });

function validator(schema: string): ValidateFunction {
  return ajv.compile({ $ref: `openapi#/components/schemas/${schema}` });
}
