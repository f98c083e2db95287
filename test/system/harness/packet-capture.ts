import { readFileSync } from 'node:fs';
import { Child } from './children.js';
import type { Namespace } from './namespaces.js';

/** Octets and packets at the IP layer. */
export interface WireCount {
  readonly octets: number;
  readonly packets: number;
}

/** tcpdump on the interface of a namespace. */
export class PacketCapture {
  private constructor(
    private readonly child: Child,
    private readonly file: string,
  ) {}

  /** Starts capturing into a file, and waits until it does. */
  static async start(namespace: Namespace, file: string): Promise<PacketCapture> {
    const tcpdump = [
      'tcpdump',
      '-i',
      namespace.interface,
      '-w',
      file,
      '-U',
      '-s',
      '96',
      '-B',
      '32768',
      '-Z',
      'root',
      'ip or ip6',
    ];
    const child = new Child('ip', ['netns', 'exec', namespace.name, ...tcpdump]);
    await child.stderrMatches(/listening on/);
    return new PacketCapture(child, file);
  }

  /** Stops capturing, and gives what was seen. @throws Error when tcpdump lost packets */
  async stop(): Promise<WirePacket[]> {
    this.child.process.kill('SIGINT');
    await this.child.ended;
    if (!/^0 packets dropped by kernel/m.test(this.child.stderr)) throw new Error(`tcpdump: ${this.child.stderr}`);
    return readPackets(readFileSync(this.file));
  }
}

export interface WirePacket {
  readonly source: string;
  readonly destination: string;
  /** IANA protocol number; of a fragment, what it is a fragment of. */
  readonly protocol: number;
  /** Length of the packet, its IP header included. */
  readonly octets: number;
}

/** The packets of one protocol from one address, with their octets. */
export function sum(packets: readonly WirePacket[], source: string, protocol: number): WireCount {
  const matching = packets.filter((packet) => packet.source === source && packet.protocol === protocol);
  return { octets: matching.reduce((total, { octets }) => total + octets, 0), packets: matching.length };
}

const MAGIC_MICROSECONDS = 0xa1b2c3d4;
const FILE_HEADER = 24;
const RECORD_HEADER = 16;
const ETHERNET_HEADER = 14;

/** IP packets of a pcap file of Ethernet frames, as this machine writes it. */
export function readPackets(file: Buffer): WirePacket[] {
  if (file.readUInt32LE(0) !== MAGIC_MICROSECONDS) throw new Error('not a pcap file');
  if (file.readUInt32LE(20) !== 1) throw new Error('not Ethernet');
  const packets: WirePacket[] = [];
  for (let at = FILE_HEADER; at < file.length;) {
    const captured = file.readUInt32LE(at + 8);
    const frame = file.subarray(at + RECORD_HEADER, at + RECORD_HEADER + captured);
    const packet = readIp(frame.readUInt16BE(12), frame.subarray(ETHERNET_HEADER));
    if (packet !== undefined) packets.push(packet);
    at += RECORD_HEADER + captured;
  }
  return packets;
}

function readIp(etherType: number, ip: Buffer): WirePacket | undefined {
  if (etherType === 0x0800) {
    return {
      source: ip.subarray(12, 16).join('.'),
      destination: ip.subarray(16, 20).join('.'),
      protocol: ip.readUInt8(9),
      octets: ip.readUInt16BE(2),
    };
  }
  if (etherType !== 0x86dd) return undefined;
  const next = ip.readUInt8(6);
  return {
    source: v6Text(ip.subarray(8, 24)),
    destination: v6Text(ip.subarray(24, 40)),
    // Behind the fragment header (44) is what the fragments are of.
    protocol: next === 44 ? ip.readUInt8(40) : next,
    octets: 40 + ip.readUInt16BE(4),
  };
}

/** As the platform writes it, so that texts compare. */
function v6Text(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(2 * i).toString(16));
  return new URL(`http://[${groups.join(':')}]/`).hostname.slice(1, -1);
}
