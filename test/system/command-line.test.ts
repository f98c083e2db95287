import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { temporaryDirectory } from '../temporary.js';

const program = fileURLToPath(new URL('../../../bin/procflow', import.meta.url));
const directory = temporaryDirectory();
const tokensFile = join(directory, 'tokens.json');

function procflow(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const env = { PATH: process.env['PATH'], PROCFLOW_API_TOKENS_FILE: tokensFile };
  return spawnSync(program, args, { env, encoding: 'utf8' });
}

describe('help', () => {
  test('of the program names the commands and shows examples', () => {
    const { status, stdout } = procflow('--help');
    assert.equal(status, 0);
    for (const command of ['run', 'record', 'doctor', 'token', 'config', 'elements'])
      assert.match(stdout, new RegExp(`^  ${command} `, 'm'));
    assert.match(stdout, /Examples:/);
  });

  test('of run has the flags of the configuration', () => {
    const { status, stdout } = procflow('run', '--help');
    assert.equal(status, 0);
    for (const flag of ['-p, --port <number>', '-c, --config <file>', '--capture-filter-keep-ports <ports>']) {
      assert.ok(stdout.includes(flag), flag);
    }
  });
});

describe('wrong use', () => {
  const cases: [args: string[], message: RegExp][] = [
    [['run', '--prot', '1'], /unknown option '--prot'\n\(Did you mean --port\?\)/],
    [['--port', 'x'], /--port: api\.port: expected a whole number/],
    [['tokn'], /there is no command "tokn"; did you mean "token"\?/],
    [['run', '--speed', 'full'], /--speed needs --replay/],
    [['run', '--config', '/nowhere.yaml'], /\/nowhere\.yaml/],
    [['token', 'create', '--name', 'x', '--scope', 'flow:read'], /did you mean "flows:read"\?/],
    [['token', 'create', '--name', 'x'], /--scope/],
    [['record'], /file/],
    [['-T', '%IN_BYTE'], /--template: export\.template: there is no element "IN_BYTE"; did you mean "IN_BYTES"\?/],
    [['-n', 'ipfx://host'], /--export: export\.to\.0: .*there is no scheme "ipfx"; did you mean "ipfix"\?/],
    [['-V', '7'], /from 9 to 10/],
  ];
  for (const [args, message] of cases) {
    test(`procflow ${args.join(' ')}`, () => {
      const { status, stdout, stderr } = procflow(...args);
      assert.equal(status, 2, stderr);
      assert.match(stderr, message);
      assert.doesNotMatch(stderr, /\n +at /);
      assert.equal(stdout, '');
    });
  }
});

test("nProbe's letters mean the same here", () => {
  const letters = ['-n', 'a:1', '-n', 'b:2', '-V', '9', '-t', '60', '-d', '15', '-T', '%IN_BYTES @PROCESS@'];
  const { status, stdout } = procflow('config', '--print', ...letters);
  assert.equal(status, 0);
  for (const line of [
    'activeTimeoutMs: 60000',
    'idleTimeoutMs: 15000',
    'version: 9',
    'template: "%IN_BYTES @PROCESS@"',
  ]) {
    assert.ok(stdout.includes(line), line);
  }
  assert.match(stdout, /to:\n +- a:1\n +- b:2\n/);
});

describe('elements', () => {
  test('lists every element with its ids', () => {
    const { status, stdout } = procflow('elements');
    assert.equal(status, 0);
    assert.match(stdout, /^%SRC_PROC_NAME +35632\/169 +57641 +string/m);
    assert.match(stdout, /^%IN_BYTES +%octetDeltaCount +1 +1 +unsigned64/m);
    assert.match(stdout, /^@PROCESS@ /m);
  });

  test('as JSON', () => {
    const { elements } = JSON.parse(procflow('elements', '--json').stdout) as { elements: Record<string, unknown>[] };
    const pid = elements.find(({ name }) => name === 'DST_PROC_PID');
    assert.deepEqual(
      [pid?.['enterprise'], pid?.['id'], pid?.['netflow9Type'], pid?.['isMeasured']],
      [35632, 375, 57847, true],
    );
  });

  test('docs/elements.md has the table of this program', () => {
    const text = readFileSync(fileURLToPath(new URL('../../../docs/elements.md', import.meta.url)), 'utf8');
    assert.ok(text.endsWith(procflow('elements', '--markdown').stdout));
  });
});

test('config prints the effective configuration, flags in their order', () => {
  const flags = ['-p', '1', '--api-port', '2', '--capture-filter-keep-ports', '9', '--no-capture-messages'];
  const { status, stdout } = procflow('config', '--print', ...flags, '--capture-filter-keep-ports', '8');
  assert.equal(status, 0);
  assert.match(stdout, /^ {2}port: 2$/m);
  assert.match(stdout, /^ {2}messages: false$/m);
  assert.match(stdout, /ports:\n +- 8\n +- 9$/m);
});

test('a token is made, listed and revoked', () => {
  const made = procflow('token', 'create', '--name', 'bot', '--scope', 'flows:read', 'processes:read');
  assert.equal(made.status, 0, made.stderr);
  assert.match(made.stdout, /^pf_[\w-]{43}\n$/);
  assert.match(procflow('token', 'list').stdout, /^bot\tflows:read,processes:read\t\d{4}-/);
  assert.equal(procflow('token', 'revoke', 'bot').status, 0);
  assert.equal(procflow('token', 'list').stdout, '');
  assert.equal(procflow('token', 'revoke', 'bot').status, 1);
});
