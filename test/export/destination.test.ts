import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDestination } from '../../src/export/destination.js';

test('schemes, with the ports that are theirs', () => {
  const cases = [
    ['ipfix://collector.example', ['IPFIX', 'UDP', 'collector.example', 4739]],
    ['ipfix+udp://10.0.0.1:2055', ['IPFIX', 'UDP', '10.0.0.1', 2055]],
    ['ipfix+tcp://collector', ['IPFIX', 'TCP', 'collector', 4739]],
    ['ipfix+tls://collector', ['IPFIX', 'TLS', 'collector', 4740]],
    ['netflow9://collector', ['NETFLOW_V9', 'UDP', 'collector', 2055]],
    ['ipfix://[2001:db8::1]:4739', ['IPFIX', 'UDP', '2001:db8::1', 4739]],
    ['IPFIX://Collector/', ['IPFIX', 'UDP', 'Collector', 4739]],
  ] as const;
  for (const [text, expected] of cases) {
    const destination = parseDestination(text, 10);
    assert.ok('host' in destination);
    assert.deepEqual([destination.format, destination.transport, destination.host, destination.port], expected, text);
  }
});

test('without a scheme it is UDP in the version asked for', () => {
  for (const [version, format] of [
    [9, 'NETFLOW_V9'],
    [10, 'IPFIX'],
  ] as const) {
    const destination = parseDestination('collector:2055', version);
    assert.deepEqual(['format' in destination && destination.format, destination.transport], [format, 'UDP']);
  }
});

test('files', () => {
  for (const text of ['ipfix+file:/var/lib/flows.ipfix', 'ipfix+file:///var/lib/flows.ipfix']) {
    const destination = parseDestination(text, 10);
    assert.deepEqual(
      [destination.transport, 'path' in destination && destination.path],
      ['FILE', '/var/lib/flows.ipfix'],
    );
  }
});

test('what is no destination is refused, with what was meant', () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['netflow://host', /no scheme "netflow"; did you mean "netflow9"/],
    ['ipfix://', /expected a host and port/],
    ['ipfix://host:0', /expected a host and port/],
    ['ipfix://host:70000', /expected a host and port/],
    ['ipfix://user@host', /expected a host and port/],
    ['ipfix://host/path', /expected a host and port/],
    ['ipfix+file:', /expected a path/],
    ['toString://host', /no scheme/],
  ];
  for (const [text, message] of cases) {
    assert.throws(() => parseDestination(text, 10), { code: 'CONFIG_INVALID', message }, text);
  }
});
