import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  fromSet,
  loadConfig,
  SETTINGS,
  type Config,
  type ConfigSources,
  type Machine,
} from '../../src/config/index.js';
import { ProcflowError } from '../../src/errors.js';
import { temporaryDirectory } from '../temporary.js';

const directory = temporaryDirectory();
const userMachine: Machine = { root: false, home: '/home/ada', runtimeDirectory: '/run/user/7', terminal: false };

function load(yaml: string, sources: Partial<ConfigSources> = {}): Config {
  const file = join(directory, 'procflow.yaml');
  writeFileSync(file, yaml);
  return loadConfig({ file, env: {}, flags: [], machine: userMachine, ...sources });
}

/** The problems with their places, without the heading and the directory. */
function problems(run: () => unknown): string[] {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof ProcflowError);
    assert.equal(error.code, 'CONFIG_INVALID');
    const lines = error.message.replaceAll(`${directory}/`, '').split('\n  ');
    return lines.length === 1 ? lines : lines.slice(1);
  }
  return [];
}

describe('defaults', () => {
  test('follow from who runs the agent', () => {
    const user = load('');
    assert.equal(user.api.socket, '/run/user/7/procflow.sock');
    assert.equal(user.api.tokensFile, '/home/ada/.config/procflow/tokens.json');
    assert.equal(user.log.format, 'json');
    const root = load('', { machine: { root: true, home: '/root', runtimeDirectory: undefined, terminal: true } });
    assert.equal(root.api.socket, '/run/procflow/procflow.sock');
    assert.equal(root.api.tokensFile, '/etc/procflow/tokens.json');
    assert.equal(root.log.format, 'pretty');
    assert.equal(load('', { machine: { ...userMachine, runtimeDirectory: undefined } }).api.socket, null);
  });

  test('fill sections that are empty or commented out', () => {
    assert.deepEqual(load('api:\nflows: {}\n# log:\n'), load(''));
  });
});

describe('precedence', () => {
  const file = 'api: { port: 1, host: "::1" }\ncapture: { filter: { keep: { ports: [1, 2] } } }';

  test('the environment goes over the file, flags over both', () => {
    const env = { PROCFLOW_API_PORT: '2' };
    assert.equal(load(file).api.port, 1);
    assert.equal(load(file, { env }).api.port, 2);
    assert.equal(load(file, { env, flags: [fromSet('api.port=3')] }).api.port, 3);
    assert.equal(load(file, { env }).api.host, '::1');
  });

  test('of two flags the last one counts, those for a list add up and replace the file', () => {
    const flags = ['api.port=3', 'api.port=4', 'capture.filter.keep.ports=8,9', 'capture.filter.keep.ports=7'].map(
      fromSet,
    );
    const config = load(file, { flags });
    assert.equal(config.api.port, 4);
    assert.deepEqual(config.capture.filter.keep.ports, [7, 8, 9]);
  });

  test('PROCFLOW_CONFIG names the file when no flag does', () => {
    const named = join(directory, 'named.yaml');
    writeFileSync(named, 'api: { port: 5 }');
    assert.equal(load('', { file: undefined, env: { PROCFLOW_CONFIG: named } }).api.port, 5);
    assert.equal(load('', { env: { PROCFLOW_CONFIG: named } }).api.port, 7441);
  });
});

describe('values', () => {
  test('sizes and durations may have units', () => {
    const config = load('capture: { ringBufferBytes: 64KiB }\nflows: { idleTimeoutMs: 2m }');
    assert.equal(config.capture.ringBufferBytes, 65_536);
    assert.equal(config.flows.idleTimeoutMs, 120_000);
  });

  test('port ranges are written out, protocols take either case, digits are a uid', () => {
    const { keep } = load(
      'capture: { filter: { keep: { ports: [443, 80-82], protocols: [tcp, Udp], users: [root, "7", 8] } } }',
    ).capture.filter;
    assert.deepEqual(keep.ports, [80, 81, 82, 443]);
    assert.deepEqual(keep.protocols, ['TCP', 'UDP']);
    assert.deepEqual(keep.users, ['root', 7, 8]);
  });

  test('off is no path', () => {
    assert.equal(load('api: { socket: off }').api.socket, null);
    assert.equal(load('', { env: { PROCFLOW_API_SOCKET: 'off' } }).api.socket, null);
  });

  test('text sources give booleans, and lists as JSON where a comma is meant', () => {
    const env = { PROCFLOW_CAPTURE_MESSAGES: 'no', PROCFLOW_PROCESSES_REDACT: '["a{1,2}"]' };
    const config = load('', { env });
    assert.equal(config.capture.messages, false);
    assert.deepEqual(config.processes.redact, ['a{1,2}']);
  });
});

describe('problems', () => {
  test('are told all at once, each with its line and column', () => {
    const yaml = [
      'api:',
      '  prot: 80',
      '  port: "80"',
      'capture:',
      '  ringBufferBytes: 5000',
      '  filter:',
      '    keep: { addresses: [10.0.0.0/8, 10.0.0.0/33] }',
      'port: 7',
      'processes: { redact: ["a(b"] }',
      'log: []',
    ].join('\n');
    assert.deepEqual(problems(() => load(yaml)).sort(), [
      'procflow.yaml:10:1: log: expected a mapping of keys; it is []',
      'procflow.yaml:2:3: api.prot: there is no such key; did you mean "port"?',
      'procflow.yaml:3:3: api.port: expected a whole number from 0 to 65535; it is "80"',
      'procflow.yaml:5:3: capture.ringBufferBytes: expected a size from 4096 to 1073741824 bytes that is a power of two, such as 4096 or 16MiB; it is 5000',
      'procflow.yaml:7:37: capture.filter.keep.addresses.1: expected an IP address or prefix, such as 10.0.0.0/8; it is "10.0.0.0/33"',
      'procflow.yaml:8:1: port: there is no such key; did you mean "api.port"?',
      'procflow.yaml:9:23: processes.redact.0: expected a regular expression: Invalid regular expression: /a(b/u: Unterminated group; it is "a(b"',
    ]);
  });

  test('of the strongest source are laid to that source', () => {
    const env = { PROCFLOW_API_PORT: 'x' };
    assert.deepEqual(
      problems(() => load('api: { port: 1 }', { env })),
      ['PROCFLOW_API_PORT: api.port: expected a whole number from 0 to 65535; it is "x"'],
    );
    const flags = [{ key: 'api.port', text: '70000', origin: '--port' }];
    assert.deepEqual(
      problems(() => load('', { flags })),
      ['--port: api.port: expected a whole number from 0 to 65535; it is 70000'],
    );
  });

  test('of a section that is no mapping are not hidden by a flag below it', () => {
    assert.deepEqual(
      problems(() => load('api: 5', { flags: [fromSet('api.port=1')] })),
      ['procflow.yaml:1:1: api: expected a mapping of keys; it is 5'],
    );
  });

  test('of YAML itself have a place, too', () => {
    assert.match(problems(() => load('api: {\n  port: 1\n  port: 2')).join('\n'), /^procflow\.yaml:\d+:\d+: /m);
    assert.match(problems(() => load('api: { port: 1, port: 2 }')).join('\n'), /procflow\.yaml:1:17: .*unique/);
    assert.deepEqual(
      problems(() => load('just text')),
      ['procflow.yaml:1:1: expected a mapping of keys, such as "api:"'],
    );
  });

  test('a file that is not there is one when it was asked for', () => {
    assert.match(problems(() => load('', { file: '/nowhere/x.yaml' })).join(''), /ENOENT.*\/nowhere\/x\.yaml/);
  });

  test('an unknown key or variable names the nearest known one', () => {
    assert.throws(() => fromSet('api.prot=1'), { code: 'CONFIG_INVALID', message: /did you mean "api\.port"/ });
    assert.throws(() => fromSet('api.port'), { code: 'USAGE' });
    assert.throws(() => load('', { env: { PROCFLOW_API_PROT: '1' } }), { message: /did you mean "PROCFLOW_API_PORT"/ });
    assert.deepEqual(
      problems(() => load('__proto__: { x: 1 }')),
      ['procflow.yaml:1:1: __proto__: there is no such key'],
    );
  });

  test('what an orchestrator sets for a service called procflow is none', () => {
    const env = {
      PROCFLOW_SERVICE_HOST: '10.0.0.1',
      PROCFLOW_PORT: 'tcp://10.0.0.1:7441',
      PROCFLOW_PORT_7441_TCP_PORT: '7441',
    };
    assert.deepEqual(load('', { env }), load(''));
  });
});

test('every setting has its names and a description', () => {
  const setting = SETTINGS.find(({ key }) => key === 'capture.filter.keep.ports');
  assert.equal(setting?.variable, 'PROCFLOW_CAPTURE_FILTER_KEEP_PORTS');
  assert.equal(setting.flag, 'capture-filter-keep-ports');
  for (const { key, description } of SETTINGS) assert.match(description, /^[A-Z].*\.$/, key);
  assert.equal(new Set(SETTINGS.map(({ flag }) => flag)).size, SETTINGS.length);
});
