import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { AddressTexts, addressBytes, isUnspecified } from '../../src/capture/address.js';
import { BatchWriter, decodeBatch } from '../../src/capture/batch.js';
import { LAYOUT_VERSION, layoutText, SOCKET_FLAG, TABLE_NAMES, TRAFFIC_FLAG } from '../../src/capture/layout.js';

/** The repository's root, from the source tree or from the compiled one. */
const root = new URL(import.meta.url.includes('/dist/') ? '../../../' : '../../', import.meta.url);
const header = readFileSync(new URL('native/src/batch_layout.h', root), 'utf8');

/** The layout as the C++ preprocessor would give it: the X-macros, expanded by hand. */
function layoutOfHeader(): string {
  const joined = header.replace(/\\\n/g, ' ');
  const columnsOf = (macro: string): string[] => {
    const body = new RegExp(`#define ${macro}\\(X\\)(.*)`).exec(joined)?.[1] ?? '';
    return [...body.matchAll(/X\((\w+), (\w+)\)/g)].map((match) => `${match[1]} ${match[2]}`);
  };
  const tables = /#define PF_TABLES\(T\)(.*)/.exec(joined)?.[1] ?? '';
  return [...tables.matchAll(/T\((\w+), (\w+)\)/g)]
    .flatMap((match) => columnsOf(String(match[2])).map((column) => `${match[1]} ${column}\n`))
    .join('');
}

function flagsOfHeader(prefix: string): Record<string, number> {
  const flags = [...header.matchAll(new RegExp(`#define ${prefix}(\\w+) +(\\d+)u`, 'g'))];
  return Object.fromEntries(flags.map((match) => [String(match[1]), Number(match[2])]));
}

function shouting(flags: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(flags).map(([name, bit]) => [name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase(), bit]),
  );
}

test('the layout is the one of the C++ header', () => {
  assert.equal(layoutText(), layoutOfHeader());
  assert.match(header, new RegExp(`#define PF_LAYOUT_VERSION ${LAYOUT_VERSION}\n`));
});

test('the flags are those of the C++ header', () => {
  assert.deepEqual(shouting(SOCKET_FLAG), flagsOfHeader('PF_SOCKET_FLAG_'));
  assert.deepEqual(shouting(TRAFFIC_FLAG), flagsOfHeader('PF_TRAFFIC_FLAG_'));
});

test('a batch comes back as it was written', () => {
  const buffer = new BatchWriter()
    .add('process', {
      kind: 2,
      pid: 7,
      startNs: 123456789012345,
      name: 'curl',
      arguments: 'curl\0-s\0\0x',
      exitCode: -1,
    })
    .add('process', { kind: 1, pid: 8, name: 'curl' })
    .add('socket', {
      cookie: 42,
      localAddress: '10.0.0.1',
      remoteAddress: '2001:db8::1',
      remotePort: 443,
      flags: 0x80000001,
    })
    .add('loss', { place: 'ringBuffer.socket', count: 3 })
    .seal(1000, 5);
  const batch = decodeBatch(buffer);
  assert.equal(batch.sequence, 0);
  assert.equal(batch.readBootNs, 1000);
  assert.equal(batch.bootToUnixNs, 5);
  assert.equal(batch.rows, 4);
  assert.deepEqual([...batch.process.pid], [7, 8]);
  assert.equal(batch.process.startNs[0], 123456789012345);
  assert.equal(batch.process.exitCode[0], -1);
  assert.equal(batch.process.name[0], batch.process.name[1], 'equal strings are stored once');
  assert.equal(batch.text(batch.process.name[0] ?? 0), 'curl');
  assert.deepEqual(batch.list(batch.process.arguments[0] ?? 0), ['curl', '-s', '', 'x']);
  assert.equal(batch.text(batch.process.arguments[1] ?? 0), null);
  assert.equal(batch.list(batch.process.arguments[1] ?? 0), null);
  assert.equal(batch.socket.remotePort[0], 443);
  assert.equal(batch.socket.flags[0], 0x80000001);
  const texts = new AddressTexts();
  assert.equal(texts.at(batch.socket.localAddress, 0), '10.0.0.1');
  assert.equal(texts.at(batch.socket.remoteAddress, 0), '2001:db8::1');
  assert.equal(batch.traffic.rows, 0);
});

test('columns are views into the block, not copies', () => {
  const buffer = new BatchWriter().add('socket', { cookie: 1 }).seal(0, 0);
  assert.equal(decodeBatch(buffer).socket.cookie.buffer, buffer);
});

test('hostile strings become printable text', () => {
  const buffer = new BatchWriter()
    .add('process', { name: Uint8Array.of(0x61, 0xff, 0x1b, 0x5b), arguments: Uint8Array.of(0xc3, 0x28, 0, 0x0a) })
    .seal(0, 0);
  const batch = decodeBatch(buffer);
  assert.equal(batch.text(batch.process.name[0] ?? 0), 'a\\xff\\x1b[');
  assert.deepEqual(batch.list(batch.process.arguments[0] ?? 0), ['\\xc3(', '\\x0a']);
});

test('damage is refused with its reason, wherever the block is cut', () => {
  const whole = new BatchWriter()
    .add('process', { name: 'a', executable: '/bin/a' })
    .add('socket', { cookie: 1 })
    .seal(1, 1);
  for (let length = 0; length < whole.byteLength; length += 8) {
    assert.throws(() => decodeBatch(whole.slice(0, length)), { name: 'ProcflowError', code: 'RECORDING_INVALID' });
  }
  const changed = (offset: number, value: number): ArrayBuffer => {
    const copy = whole.slice(0);
    new DataView(copy).setUint32(offset, value, true);
    return copy;
  };
  assert.throws(() => decodeBatch(changed(0, 1)), /mark of a batch/);
  assert.throws(() => decodeBatch(changed(4, 99)), /layout version 99/);
  assert.throws(() => decodeBatch(changed(32, 4)), /4 tables/);
  assert.throws(() => decodeBatch(changed(36, 0xffffffff)), /ends within process\./);
  assert.throws(() => decodeBatch(changed(36 + 4 * TABLE_NAMES.length, 0)), /names a string that is not there/);
  assert.throws(() => decodeBatch(changed(20, 0xffffffff)), /no valid time/);
});

test('addresses have their canonical text', () => {
  const cases: [string, string][] = [
    ['0.0.0.0', '0.0.0.0'],
    ['192.0.2.255', '192.0.2.255'],
    ['::ffff:198.51.100.7', '198.51.100.7'],
    ['::', '::'],
    ['::1', '::1'],
    ['2001:0DB8:0000:0000:0001:0000:0000:0001', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['fe80::', 'fe80::'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
  ];
  const texts = new AddressTexts();
  const read = (address: string): string => texts.at(new Uint32Array(addressBytes(address).buffer), 0);
  // Twice: from the cache the second time.
  for (const [given, canonical] of [...cases, ...cases]) assert.equal(read(given), canonical);
  assert.throws(() => addressBytes('10.0.0'), RangeError);
  assert.ok(isUnspecified(new Uint32Array(addressBytes('0.0.0.0').buffer), 0));
  assert.ok(isUnspecified(new Uint32Array(4), 0));
  assert.ok(!isUnspecified(new Uint32Array(addressBytes('::1').buffer), 0));
});

test('more addresses than the cache holds stay right', () => {
  const texts = new AddressTexts();
  const column = new Uint32Array(4);
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < 100_000; i++) {
      column.set([0, 0, 0xffff0000, i]);
      const expected = `${i & 255}.${(i >> 8) & 255}.${i >> 16}.0`;
      if (texts.at(column, 0) !== expected) assert.fail(`${texts.at(column, 0)} is not ${expected}`);
    }
  }
});
