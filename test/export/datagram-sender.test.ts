import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { getSystemErrorName } from 'node:util';
import { loadAddon } from '../../src/capture/index.js';
import { eventually } from '../system/harness/eventually.js';

const { DatagramSender } = loadAddon();
const SLOT = 16;

function slotsOf(...texts: readonly string[]): { slots: Uint8Array; lengths: Uint32Array } {
  const slots = new Uint8Array(SLOT * texts.length);
  for (const [i, text] of texts.entries()) slots.set(Buffer.from(text), i * SLOT);
  return { slots, lengths: Uint32Array.from(texts, ({ length }) => length) };
}

for (const [family, address] of [
  ['udp4', '127.0.0.1'],
  ['udp6', '::1'],
] as const) {
  test(`${family}: datagrams arrive whole and in their order, those between first and count`, async () => {
    const socket = createSocket(family);
    const got: string[] = [];
    socket.on('message', (bytes) => got.push(bytes.toString()));
    socket.bind(0, address);
    await once(socket, 'listening');
    const sender = new DatagramSender(address, socket.address().port);
    const texts = Array.from({ length: 150 }, (_, i) => `datagram ${i}`);
    const { slots, lengths } = slotsOf(...texts);
    assert.equal(sender.send(slots, SLOT, lengths, 1, 70), 70);
    await eventually(() => assert.deepEqual(got, texts.slice(1, 71)));
    assert.equal(sender.send(slots, SLOT, lengths, 71, 79), 79);
    await eventually(() => assert.deepEqual(got, texts.slice(1)));
    sender.close();
    socket.close();
  });
}

test('that nobody listens is told by an errno', async () => {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  const sender = new DatagramSender('127.0.0.1', port);
  const { slots, lengths } = slotsOf('x');
  await eventually(() => {
    const sent = sender.send(slots, SLOT, lengths, 0, 1);
    assert.ok(sent < 0 && getSystemErrorName(sent) === 'ECONNREFUSED', String(sent));
  });
  sender.close();
});

test('what is beyond the slots, no address, or closed is refused', () => {
  const sender = new DatagramSender('127.0.0.1', 9);
  const { slots, lengths } = slotsOf('a', 'b');
  assert.throws(() => sender.send(slots, SLOT, lengths, 1, 2), RangeError);
  assert.throws(() => sender.send(slots, 2 * SLOT, lengths, 0, 2), RangeError);
  assert.throws(() => sender.send(slots, SLOT, Uint32Array.of(SLOT + 1, 1), 0, 1), RangeError);
  sender.close();
  sender.close();
  assert.throws(() => sender.send(slots, SLOT, lengths, 0, 1), /closed/);
  assert.throws(() => new DatagramSender('no address', 9));
});
