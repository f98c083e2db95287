import assert from 'node:assert/strict';
import test from 'node:test';
import { communityId, flowCommunityId } from '../../src/correlate/community-id.js';

/** Published with the specification: protocol, source, destination, ports (ICMP: type and code), id. */
const VECTORS: [number, string, string, number | null, number | null, string][] = [
  [6, '128.232.110.120', '66.35.250.204', 34855, 80, '1:LQU9qZlK+B5F3KDmev6m5PMibrg='],
  [6, '66.35.250.204', '128.232.110.120', 80, 34855, '1:LQU9qZlK+B5F3KDmev6m5PMibrg='],
  [17, '192.168.1.52', '8.8.8.8', 54585, 53, '1:d/FP5EW3wiY1vCndhwleRRKHowQ='],
  [17, '8.8.8.8', '192.168.1.52', 53, 54585, '1:d/FP5EW3wiY1vCndhwleRRKHowQ='],
  [132, '192.168.170.8', '192.168.170.56', 7, 80, '1:jQgCxbku+pNGw8WPbEc/TS/uTpQ='],
  [1, '192.168.0.89', '192.168.0.1', 8, 0, '1:X0snYXpgwiv9TZtqg64sgzUn6Dk='],
  [1, '192.168.0.1', '192.168.0.89', 0, 8, '1:X0snYXpgwiv9TZtqg64sgzUn6Dk='],
  [1, '192.168.0.89', '192.168.0.1', 20, 0, '1:3o2RFccXzUgjl7zDpqmY7yJi8rI='],
  [58, 'fe80::200:86ff:fe05:80da', 'fe80::260:97ff:fe07:69ea', 135, 0, '1:dGHyGvjMfljg6Bppwm3bg0LO8TY='],
];

test('the published vectors come out', () => {
  for (const [protocol, source, destination, from, to, id] of VECTORS) {
    assert.equal(communityId(protocol, { address: source, port: from }, { address: destination, port: to }), id);
  }
});

test('a flow of the echo protocol has the id of its echo requests', () => {
  const id = flowCommunityId(1, { address: '192.168.0.89', port: null }, { address: '192.168.0.1', port: null });
  assert.equal(id, '1:X0snYXpgwiv9TZtqg64sgzUn6Dk=');
});

test('protocols without ports have an id either way round; interfaces have none', () => {
  const there = communityId(47, { address: '10.0.0.1', port: null }, { address: '10.0.0.2', port: null });
  const back = communityId(47, { address: '10.0.0.2', port: null }, { address: '10.0.0.1', port: null });
  assert.match(there ?? '', /^1:.{28}$/);
  assert.equal(there, back);
  assert.equal(communityId(0, { address: 'eth0', port: null }, { address: 'any', port: null }), null);
});
