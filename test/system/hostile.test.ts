/** Names and arguments made to harm whoever shows them. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { temporaryDirectory } from '../temporary.js';
import { Agent, eventually, skipWithoutBpf, withTraffic } from './harness/index.js';

const skip = await skipWithoutBpf('hostile names and arguments');
const directory = temporaryDirectory();

interface NamedProcess {
  readonly name: string;
  readonly executable: string;
  readonly commandLine: string;
  readonly arguments: readonly string[];
  readonly argumentsTruncated: boolean;
}

/** C0, DEL, C1, and what turns the direction of reading. */
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/u;

describe('hostile names', { skip }, () => {
  let agent: Agent;

  before(async () => {
    agent = await Agent.start();
  });
  after(() => agent.stop());

  const cases: [name: string, comm: string, args: readonly string[]][] = [
    [
      'control',
      '\\x1b]0;x\\x07\\x0d\\x0aroot',
      ['\\x1b]0;x\\x07\\x0d\\x0aroot', '\\x1b[2J\\x1b[31mred', 'two\\x0alines\\x09tab', '\\x7f\\x9b'],
    ],
    ['invalid-utf8', '\\xff\\xfebad\\xc3', ['\\xff\\xfebad\\xc3', '\\xc3(', '\\xed\\xa0\\x80', 'café']],
    ['script', '<script>x', ['<script>x', '</script><script>alert(1)</script>', '"\'&<>${x}`', '{"a":1}']],
    ['direction', '\\u{202e}txt.exe', ['\\u{202e}txt.exe', '\\u{202e}gpj.sh', '\\u{2066}x\\u{2069}', '\\u{feff}bom']],
  ];
  for (const [name, comm, args] of cases) {
    test(`${name}: shown escaped, by both doors, and found by its name`, async (t) => {
      await withTraffic(t, ['hostile', { case: name, directory }], async (generator, report) => {
        const client = report.sockets.find(({ side }) => side === 'client');
        const shown = await clientOf(client?.localPort);
        assert.equal(shown.name, comm);
        assert.deepEqual(shown.arguments, args);
        assert.ok(shown.executable.endsWith(comm), shown.executable);
        assert.doesNotMatch(JSON.stringify([shown.name, shown.executable, shown.commandLine]), UNSAFE);
        for (const path of [
          `/v1/flows?process=${encodeURIComponent(comm)}`,
          `/v1/processes?name=${encodeURIComponent(comm)}`,
          `/v1/flows?process=${encodeURIComponent(comm)}&format=csv`,
          '/metrics',
        ]) {
          const { status, text } = await agent.get(path);
          assert.equal(status, 200, text);
          assert.doesNotMatch(text.replaceAll(/\r?\n/g, ' '), UNSAFE, path);
        }
        const { flows } = await agent.rest<{ flows: unknown[] }>(`/v1/flows?process=${encodeURIComponent(comm)}`);
        assert.equal(flows.length, 1);
        await generator.finish();
      });
    });
  }

  test('arguments longer than 4 KiB are cut there, and marked', async (t) => {
    await withTraffic(t, ['hostile', { case: 'long', directory }], async (generator, report) => {
      const client = report.sockets.find(({ side }) => side === 'client');
      const shown = await clientOf(client?.localPort);
      assert.equal(shown.argumentsTruncated, true);
      assert.equal(shown.arguments[0], 'long');
      assert.match(shown.arguments[1] ?? '', /^a+$/);
      const bytes = shown.arguments.join(' ').length;
      assert.ok(bytes > 3800 && bytes <= 4096, `${bytes} bytes are kept`);
      await generator.finish();
    });
  });

  function clientOf(port: number | undefined): Promise<NamedProcess> {
    const query = `query ($port: Int) { flows(where: { clientPort: { eq: $port } }) {
      nodes { client { process { name executable commandLine arguments argumentsTruncated } } } } }`;
    return eventually(async () => {
      const { flows } = await agent.graphql<{ flows: { nodes: { client: { process: NamedProcess } }[] } }>(query, {
        port,
      });
      const [flow] = flows.nodes;
      assert.ok(flow);
      return flow.client.process;
    });
  }
});

describe('hostile requests', { skip }, () => {
  let agent: Agent;

  before(async () => {
    agent = await Agent.start();
  });
  after(() => agent.stop());

  const bad: [what: string, path: string, status: number][] = [
    ['an unknown parameter', '/v1/flows?proces=curl', 400],
    ['a wrong number', '/v1/flows?port=http', 400],
    ['a port out of range', '/v1/flows?pageSize=999999999', 400],
    ['a wrong address', '/v1/flows?address=300.1.1.1/99', 400],
    ['a broken cursor', '/v1/flows?pageToken=%00%ff', 400],
    ['a wrong time', '/v1/flows?from=yesterdayish', 400],
    ['a flow that is not there', '/v1/flows/f_nothing', 404],
    ['a path that is not there', '/v1/nothing', 404],
    ['a very long URL', `/v1/flows?process=${'x'.repeat(12_000)}`, 400],
  ];
  for (const [what, path, status] of bad) {
    test(`${what}: a problem that says so, and the agent lives`, async () => {
      const answer = await agent.get(path);
      assert.equal(answer.status, status, answer.text);
      assert.match(answer.headers['content-type'] ?? '', /^application\/problem\+json/);
      const problem = JSON.parse(answer.text) as { status: number; code: string; title: string };
      assert.equal(problem.status, status);
      assert.ok(problem.code && problem.title);
      assert.equal((await agent.get('/readyz')).status, 200);
    });
  }

  const deep = `{ processes { nodes ${'{ parent '.repeat(60)} { pid } ${'}'.repeat(60)} } }`;
  const wide = `{ flows(first: 10000) { nodes { client { process { flows(first: 10000) { nodes { id } } } } } } }`;
  const queries: [what: string, query: string][] = [
    ['a deep query', deep],
    ['a costly query', wide],
    ['a broken query', '{ flows( }'],
    ['an unknown field', '{ flow { nothing } }'],
    ['a wrong type', '{ flows(first: "ten") { totalCount } }'],
    ['a huge query', `{ ${'host { id } '.repeat(30_000)} }`],
  ];
  for (const [what, query] of queries) {
    test(`${what} is refused with a code, and the agent lives`, async () => {
      const { status, text } = await agent.post('/graphql', { query });
      assert.ok(status >= 400 && status < 500, `${status} ${text.slice(0, 300)}`);
      const answer = JSON.parse(text) as { errors?: { extensions?: { code?: string } }[]; code?: string };
      assert.ok(answer.errors?.[0]?.extensions?.code ?? answer.code, text.slice(0, 300));
      assert.equal((await agent.get('/readyz')).status, 200);
    });
  }
});
