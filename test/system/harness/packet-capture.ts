import { readFileSync } from 'node:fs';
import { Child } from './children.js';
import { eventually } from './eventually.js';
import { Generator } from './generator.js';
import { across, type NamespacePair } from './namespaces.js';

/** Octets and packets at the IP layer. */
export interface WireCount {
  readonly octets: number;
  readonly packets: number;
}

/** What ends a capture, and is in no other traffic. */
const MARKER_PROTOCOL = 1;

/** tcpdump on the client's interface of a pair of namespaces. */
export class PacketCapture {
  private constructor(
    private readonly child: Child,
    private readonly pair: NamespacePair,
    private readonly file: string,
  ) {}

  /** Starts capturing into a file, and waits until it does. */
  static async start(pair: NamespacePair, file: string): Promise<PacketCapture> {
    const { name, interface: device } = pair.client;
    const tcpdump = ['tcpdump', '-i', device, '-w', file, '-U', '--immediate-mode', '-s', '96', '-B', '32768'];
    const child = new Child('ip', ['netns', 'exec', name, ...tcpdump, '-Z', 'root', 'ip or ip6']);
    await child.stderrMatches(/listening on/);
    return new PacketCapture(child, pair, file);
  }

  /** Stops capturing, and gives what was seen before. @throws Error when tcpdump lost packets */
  async stop(): Promise<WirePacket[]> {
    // tcpdump forgets what it has not read yet: when it has written an echo sent after all the rest, it has the rest.
    const echo = await Generator.start('icmp', { ...across(this.pair), count: 1 });
    await echo.report();
    await echo.finish();
    await eventually(() => {
      const seen = readPackets(readFileSync(this.file));
      if (sum(seen, this.pair.server.v4, MARKER_PROTOCOL).packets === 0)
        throw new Error('tcpdump has not seen the echo');
    });
    await this.end();
    if (!/^0 packets dropped by kernel/m.test(this.child.stderr)) throw new Error(`tcpdump: ${this.child.stderr}`);
    return readPackets(readFileSync(this.file));
  }

  /** Ends it whatever became of it; once more does no harm. */
  async end(): Promise<void> {
    this.child.process.kill('SIGINT');
    await this.child.ended;
  }
}

export interface WirePacket {
  readonly source: string;
  readonly destination: string;
  /** IANA protocol number; of a fragment, what it is a fragment of. */
  readonly protocol: number;
  /** Length of the packet, its IP header included. */
  readonly octets: number;
  /** Of TCP and UDP, also in later fragments; 0 otherwise. */
  readonly sourcePort: number;
  readonly destinationPort: number;
}

export interface WireEnd {
  readonly address: string;
  readonly port: number;
}

/** The packets of one protocol from one address, with their octets. */
export function sum(packets: readonly WirePacket[], source: string, protocol: number): WireCount {
  const matching = packets.filter((packet) => packet.source === source && packet.protocol === protocol);
  return { octets: matching.reduce((total, { octets }) => total + octets, 0), packets: matching.length };
}

/** The UDP packets from one end to another, with their octets. */
export function sumBetween(packets: readonly WirePacket[], from: WireEnd, to: WireEnd): WireCount {
  const between = packets.filter(
    ({ source, sourcePort, destination, destinationPort }) =>
      source === from.address && sourcePort === from.port && destination === to.address && destinationPort === to.port,
  );
  return sum(between, from.address, UDP);
}

const TCP = 6;
const UDP = 17;

const MAGIC_MICROSECONDS = 0xa1b2c3d4;
const FILE_HEADER = 24;
const RECORD_HEADER = 16;
const ETHERNET_HEADER = 14;

/** IP packets of a pcap file of Ethernet frames, as this machine writes it. */
export function readPackets(file: Buffer): WirePacket[] {
  if (file.length < FILE_HEADER) return [];
  if (file.readUInt32LE(0) !== MAGIC_MICROSECONDS) throw new Error('not a pcap file');
  if (file.readUInt32LE(20) !== 1) throw new Error('not Ethernet');
  const packets: WirePacket[] = [];
  const fragmented = new Map<string, Ports>();
  for (let at = FILE_HEADER; at < file.length;) {
    if (at + RECORD_HEADER > file.length) break;
    const captured = file.readUInt32LE(at + 8);
    // Written in part so far.
    if (at + RECORD_HEADER + captured > file.length) break;
    const frame = file.subarray(at + RECORD_HEADER, at + RECORD_HEADER + captured);
    const packet = readIp(frame.readUInt16BE(12), frame.subarray(ETHERNET_HEADER), fragmented);
    if (packet !== undefined) packets.push(packet);
    at += RECORD_HEADER + captured;
  }
  return packets;
}

type Ports = Pick<WirePacket, 'sourcePort' | 'destinationPort'>;

/** `fragmented` keeps the ports of first fragments for the later ones. */
function readIp(etherType: number, ip: Buffer, fragmented: Map<string, Ports>): WirePacket | undefined {
  if (etherType === 0x0800) {
    const source = ip.subarray(12, 16).join('.');
    const destination = ip.subarray(16, 20).join('.');
    const protocol = ip.readUInt8(9);
    const fragment = ip.readUInt16BE(6) & 0x3fff;
    const id = fragment === 0 ? undefined : `${source} ${destination} ${ip.readUInt16BE(4)}`;
    const ports = portsOf(protocol, ip.subarray((ip.readUInt8(0) & 15) * 4), fragment & 0x1fff, id, fragmented);
    return { source, destination, protocol, octets: ip.readUInt16BE(2), ...ports };
  }
  if (etherType !== 0x86dd) return undefined;
  const source = v6Text(ip.subarray(8, 24));
  const destination = v6Text(ip.subarray(24, 40));
  const octets = 40 + ip.readUInt16BE(4);
  const next = ip.readUInt8(6);
  if (next !== IPV6_FRAGMENT) {
    return { source, destination, protocol: next, octets, ...portsOf(next, ip.subarray(40), 0, undefined, fragmented) };
  }
  const protocol = ip.readUInt8(40);
  const id = `${source} ${destination} ${ip.readUInt32BE(44)}`;
  const ports = portsOf(protocol, ip.subarray(48), ip.readUInt16BE(42) & 0xfff8, id, fragmented);
  return { source, destination, protocol, octets, ...ports };
}

const IPV6_FRAGMENT = 44;
const NO_PORTS: Ports = { sourcePort: 0, destinationPort: 0 };

function portsOf(
  protocol: number,
  transport: Buffer,
  offset: number,
  fragment: string | undefined,
  fragmented: Map<string, Ports>,
): Ports {
  if (protocol !== TCP && protocol !== UDP) return NO_PORTS;
  if (fragment !== undefined && offset > 0) return fragmented.get(fragment) ?? NO_PORTS;
  const ports = { sourcePort: transport.readUInt16BE(0), destinationPort: transport.readUInt16BE(2) };
  if (fragment !== undefined) fragmented.set(fragment, ports);
  return ports;
}

/** As the platform writes it, so that texts compare. */
function v6Text(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(2 * i).toString(16));
  return new URL(`http://[${groups.join(':')}]/`).hostname.slice(1, -1);
}
