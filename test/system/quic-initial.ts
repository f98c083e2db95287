/** The first packet of a QUIC connection as a client would send it, for a test to have one without a QUIC client. */
import { createCipheriv, createHmac } from 'node:crypto';

/** RFC 9001, 5.2. */
const INITIAL_SALT = Buffer.from('38762cf7f55934b34d179ae6a4c80cadccbb7f0a', 'hex');
const DATAGRAM_BYTES = 1200;
const TAG_BYTES = 16;
const PACKET_NUMBER_BYTES = 4;

/** A protected Initial packet of QUIC version 1 (RFC 9000, 17.2.2) with a ClientHello that asks for `serverName`. */
export function quicInitial(serverName: string): Buffer {
  const connectionId = Buffer.from('8394c8f03e515708', 'hex');
  const secret = expand(createHmac('sha256', INITIAL_SALT).update(connectionId).digest(), 'client in', 32);
  const [key, iv, headerKey] = [
    expand(secret, 'quic key', 16),
    expand(secret, 'quic iv', 12),
    expand(secret, 'quic hp', 16),
  ];

  const hello = clientHello(serverName);
  const crypto = Buffer.concat([Buffer.from([0x06, 0x00]), varint(hello.length), hello]);
  const head = Buffer.concat([
    // Long header, Initial, packet number of four bytes; version 1; both connection ids; no token.
    ...[Buffer.from([0xc3]), Buffer.from([0, 0, 0, 1]), Buffer.from([connectionId.length]), connectionId],
    ...[Buffer.from([0]), Buffer.from([0])],
  ]);
  const length = DATAGRAM_BYTES - head.length - 2;
  const header = Buffer.concat([head, varint(length), Buffer.alloc(PACKET_NUMBER_BYTES)]);
  const plain = Buffer.alloc(length - PACKET_NUMBER_BYTES - TAG_BYTES); // The rest is PADDING frames.
  crypto.copy(plain);

  const cipher = createCipheriv('aes-128-gcm', key, iv);
  cipher.setAAD(header);
  const sealed = Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  // Header protection (RFC 9001, 5.4): the sample begins where a packet number of four bytes ends.
  const mask = createCipheriv('aes-128-ecb', headerKey, null).update(sealed.subarray(0, 16));
  header.writeUInt8(header.readUInt8(0) ^ (mask.readUInt8(0) & 0x0f), 0);
  for (let i = 0; i < PACKET_NUMBER_BYTES; i++) {
    const at = header.length - PACKET_NUMBER_BYTES + i;
    header.writeUInt8(header.readUInt8(at) ^ mask.readUInt8(1 + i), at);
  }
  return Buffer.concat([header, sealed]);
}

/** HKDF-Expand-Label (RFC 8446, 7.1). */
function expand(secret: Buffer, label: string, bytes: number): Buffer {
  const full = Buffer.from(`tls13 ${label}`);
  const info = Buffer.concat([Buffer.from([0, bytes, full.length]), full, Buffer.from([0])]);
  const blocks: Buffer[] = [];
  for (let block = Buffer.alloc(0), i = 1; Buffer.concat(blocks).length < bytes; i++) {
    block = createHmac('sha256', secret)
      .update(Buffer.concat([block, info, Buffer.from([i])]))
      .digest();
    blocks.push(block);
  }
  return Buffer.concat(blocks).subarray(0, bytes);
}

/** Of two bytes (RFC 9000, 16). */
function varint(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(0x4000 | value);
  return bytes;
}

/** RFC 8446, 4.1.2, with server name, supported versions, a key share, and ALPN h3. */
function clientHello(serverName: string): Buffer {
  const name = Buffer.from(serverName);
  const extensions = vector16(
    Buffer.concat([
      extension(0, vector16(Buffer.concat([Buffer.from([0]), vector16(name)]))),
      extension(43, Buffer.from([2, 0x03, 0x04])),
      extension(10, vector16(Buffer.from([0x00, 0x1d]))),
      extension(13, vector16(Buffer.from([0x04, 0x03, 0x08, 0x04]))),
      extension(51, vector16(Buffer.concat([Buffer.from([0x00, 0x1d]), vector16(Buffer.alloc(32, 7))]))),
      extension(16, vector16(Buffer.concat([Buffer.from([2]), Buffer.from('h3')]))),
      extension(57, Buffer.from([0x01, 0x04, 0x80, 0x00, 0x75, 0x30])),
    ]),
  );
  const body = Buffer.concat([
    ...[Buffer.from([0x03, 0x03]), Buffer.alloc(32, 1), Buffer.from([0])],
    ...[vector16(Buffer.from([0x13, 0x01, 0x13, 0x02])), Buffer.from([1, 0]), extensions],
  ]);
  return Buffer.concat([Buffer.from([1, 0, body.length >> 8, body.length & 0xff]), body]);
}

function extension(type: number, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from([type >> 8, type & 0xff]), vector16(body)]);
}

/** With its length in two bytes in front. */
function vector16(body: Buffer): Buffer {
  return Buffer.concat([Buffer.from([body.length >> 8, body.length & 0xff]), body]);
}
