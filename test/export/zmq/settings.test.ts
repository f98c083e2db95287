import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Command } from 'commander';
import { curveKeyPair } from 'zeromq';
import { addConfigOptions } from '../../../src/commands/options.js';
import { loadConfig, type Config } from '../../../src/config/index.js';
import { parseDestination } from '../../../src/export/destination.js';
import { asZ85, isCurveKey } from '../../../src/export/zmq/curve-key.js';
import { activeTimeoutFor, dialectOf } from '../../../src/export/zmq/dialect.js';

/** The configuration that flags of the command line make. */
function configOf(...flags: string[]): Config['export'] {
  const command = new Command();
  const sources = addConfigOptions(command);
  command.parse(flags, { from: 'user' });
  return loadConfig({ ...sources(), env: {} }).export;
}

function dialect(zmq: Partial<Config['export']['zmq']>): unknown {
  return dialectOf({ ...configOf().zmq, ...zmq });
}

test('endpoints', () => {
  for (const [text, endpoint, mode] of [
    ['zmq://*:5556', 'tcp://*:5556', 'BIND'],
    ['zmq://*', 'tcp://*:5556', 'BIND'],
    ['ZMQ+TCP://10.0.0.1:1234', 'tcp://10.0.0.1:1234', 'BIND'],
    ['zmq://[::1]:1234', 'tcp://[::1]:1234', 'BIND'],
    ['zmq://ntopng.example:5556c', 'tcp://ntopng.example:5556', 'CONNECT'],
    ['zmq+ipc:///run/flows', 'ipc:///run/flows', 'BIND'],
  ]) {
    assert.deepEqual(parseDestination(text ?? '', 10), { name: text, transport: 'ZMQ', endpoint, mode });
  }
});

test('what is no endpoint is refused with what would be one', () => {
  for (const text of [
    ...['zmq:', 'zmq://', 'zmq://:5556', 'zmq://*:0', 'zmq://*:65536', 'zmq://*:5556c', 'zmq://a b:1', 'zmq://u@h:1'],
    ...['zmq://h:1/path', 'zmq://h:1cc', 'zmq+ipc://relative', `zmq+ipc:///${'x'.repeat(108)}`, 'zmq+udp://h:1'],
  ]) {
    assert.throws(() => parseDestination(text, 10), /expected zmq:\/\/\*:5556/, text);
  }
});

test("nProbe's flags", () => {
  const { publicKey } = curveKeyPair();
  const { to, zmq } = configOf(
    ...['--zmq', 'tcp://*:5556', '--zmq', 'ipc:///run/a,tcp://*:5557', '-n', 'collector:2055', '--zmq', 'zmq://*:5558'],
    ...['--zmq-probe-mode', '--zmq-encryption-key', publicKey, '--json-labels', '--zmq-format', 'json'],
  );
  assert.deepEqual(to, ['zmq+tcp://*:5556', 'zmq+ipc:///run/a', 'zmq+tcp://*:5557', 'collector:2055', 'zmq://*:5558']);
  assert.deepEqual([zmq.probeMode, zmq.encryptionKey, zmq.jsonLabels, zmq.format], [true, publicKey, true, 'json']);
});

test('versions may be numbers, as YAML reads them', () => {
  const { zmq } = configOf('--set', 'export.zmq.ntopng=2.0', '--set', 'export.zmq.header=1');
  assert.deepEqual([zmq.ntopng, zmq.header], ['2.0', '1']);
  assert.throws(() => configOf('--set', 'export.zmq.header=4'), /one of auto, 0, 1, 2, 3/);
});

test('what each ntopng is sent', () => {
  assert.deepEqual(dialect({}), { kind: 'TLV', keys: 'NUMBERS', header: 2, limit: 32_000, mostRecords: 255 });
  assert.deepEqual(dialect({ ntopng: '2.0' }), {
    kind: 'JSON',
    keys: 'NUMBERS',
    header: 0,
    limit: 8000,
    mostRecords: 1,
  });
  assert.deepEqual(dialect({ jsonLabels: true, header: '3' }), {
    ...{ kind: 'JSON', keys: 'NAMES', header: 3, limit: 32_000, mostRecords: 255 },
  });
  assert.throws(() => dialect({ format: 'tlv', jsonLabels: true }), /only JSON has labels/);
  assert.throws(() => dialect({ format: 'tlv', header: '0' }), /reads only the format json/);
});

test('long flows are told often enough that each ntopng keeps them', () => {
  const { zmq } = configOf();
  assert.deepEqual(
    [120_000, 3_600_000].map((timeoutMs) => activeTimeoutFor(zmq, timeoutMs)),
    [120_000, 600_000],
  );
  assert.deepEqual(
    [20_000, 120_000].map((timeoutMs) => activeTimeoutFor({ ...zmq, ntopng: '2.0' }, timeoutMs)),
    [20_000, 50_000],
  );
});

test('keys of CURVE, in Z85 or hexadecimal', () => {
  // ZeroMQ RFC 32 has this example.
  assert.equal(asZ85('86 4F D2 6F B5 59 F7 5B'.replaceAll(' ', '').repeat(4)), 'HelloWorld'.repeat(4));
  const { publicKey } = curveKeyPair();
  assert.ok(isCurveKey(publicKey));
  assert.equal(asZ85(Buffer.from(publicKey).toString('hex')), publicKey);
  assert.equal(asZ85('short'), 'short');
  for (const key of ['short', 'x'.repeat(39), '~'.repeat(40), '#'.repeat(40)]) assert.ok(!isCurveKey(key), key);
  assert.throws(() => configOf('--zmq-encryption-key', 'secret'), /a public key of 40 characters/);
});
