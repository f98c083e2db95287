import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
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
    for (const command of ['run', 'record', 'doctor', 'token', 'config'])
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
