/** Writes datagrams as a capture of raw IP packets, for programs that read captures. */

const LINKTYPE_RAW = 101;
const IPV4_HEADER = 20;
const UDP_HEADER = 8;

export interface Datagram {
  readonly port: number;
  /** Port that it comes from. */
  readonly source?: number;
  readonly bytes: Buffer;
}

/** All from and to 127.0.0.1. */
export function pcapOf(datagrams: readonly Datagram[]): Buffer {
  const head = Buffer.alloc(24);
  head.writeUInt32LE(0xa1b2c3d4, 0);
  head.writeUInt16LE(2, 4);
  head.writeUInt16LE(4, 6);
  head.writeUInt32LE(262_144, 16);
  head.writeUInt32LE(LINKTYPE_RAW, 20);
  return Buffer.concat([head, ...datagrams.map(packetOf)]);
}

function packetOf({ port, source = 1024, bytes }: Datagram, index: number): Buffer {
  const length = IPV4_HEADER + UDP_HEADER + bytes.length;
  const record = Buffer.alloc(16);
  record.writeUInt32LE(1_800_000_000 + index, 0);
  record.writeUInt32LE(length, 8);
  record.writeUInt32LE(length, 12);
  const headers = Buffer.alloc(IPV4_HEADER + UDP_HEADER);
  headers[0] = 0x45;
  headers.writeUInt16BE(length, 2);
  headers[8] = 64;
  headers[9] = 17;
  headers.writeUInt32BE(0x7f000001, 12);
  headers.writeUInt32BE(0x7f000001, 16);
  headers.writeUInt16BE(source, IPV4_HEADER);
  headers.writeUInt16BE(port, IPV4_HEADER + 2);
  headers.writeUInt16BE(UDP_HEADER + bytes.length, IPV4_HEADER + 4);
  return Buffer.concat([record, headers, bytes]);
}
