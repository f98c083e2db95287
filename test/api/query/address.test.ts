import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressTest, networkOf } from '../../../src/api/query/address.js';

test('addresses are within prefixes as they should be', () => {
  const cases: readonly [prefix: string, address: string, expected: boolean][] = [
    ['10.0.0.0/8', '10.255.0.1', true],
    ['10.0.0.0/8', '11.0.0.0', false],
    ['10.1.2.3', '10.1.2.3', true],
    ['10.1.2.3', '10.1.2.4', false],
    ['0.0.0.0/0', '255.255.255.255', true],
    ['0.0.0.0/0', '::1', false],
    ['255.255.255.255/32', '255.255.255.255', true],
    ['192.168.7.9/16', '192.168.200.200', true],
    ['10.0.0.0/8', '::ffff:10.0.0.1', true],
    ['10.0.0.0/8', '::ffff:a00:1', true],
    ['::ffff:10.0.0.0/104', '10.2.3.4', true],
    ['::ffff:0:0/96', '8.8.8.8', true],
    ['::/0', '8.8.8.8', false],
    ['::/0', 'fe80::1', true],
    ['fd00::/8', 'fd12:3456::1', true],
    ['fd00::/8', 'fc00::1', false],
    ['fe80::/10', 'fe80::1%eth0', true],
    ['2001:db8::/33', '2001:db8:7fff::1', true],
    ['2001:db8::/33', '2001:db8:8000::1', false],
    ['2001:DB8::1', '2001:db8::1', true],
    ['::1', '::1', true],
    ['1.2.3.0/24', 'eth0', false],
    ['1.2.3.0/24', 'any', false],
    ['1.2.3.0/24', '', false],
  ];
  for (const [prefix, address, expected] of cases) {
    assert.equal(addressTest([prefix])(address), expected, `${address} in ${prefix}`);
  }
});

test('one of several prefixes is enough, and none match nothing', () => {
  const test = addressTest(['10.0.0.0/8', 'fd00::/8']);
  assert.deepEqual(['10.1.1.1', 'fd00::1', '9.1.1.1'].map(test), [true, true, false]);
  assert.equal(addressTest([])('10.1.1.1'), false);
});

test('what is no prefix is refused', () => {
  for (const text of [
    '',
    '10.0.0',
    '10.0.0.0/33',
    '10.0.0.0/',
    '::/129',
    'localhost',
    '10.0.0.256',
    '1.2.3.4/-1',
    '::ffff:1.2.3.4/95',
    '1..2.3',
    '1.2.3.4.',
  ]) {
    assert.throws(() => addressTest([text]), /neither an IP address nor a prefix/, text);
  }
});

test('a network is named by its prefix', () => {
  assert.equal(networkOf('10.20.30.40'), '10.20.30.0/24');
  assert.equal(networkOf('2001:db8:1:2::5'), '2001:db8:1::/48');
  assert.equal(networkOf('fe80::1'), 'fe80::/48');
  assert.equal(networkOf('eth0'), undefined);
});
