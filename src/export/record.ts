/**
 * A flow record on its way to the exporters: one direction (or both) of a flow in one interval.
 *
 * It has a place for each datum that an element may tell of, and no objects: one record serves for all flows, and filling
 * and encoding it leaves no garbage. A number that is not known is NaN, a text null: the element is then left out, by
 * choosing another template.
 */

/** Places of numbers. Those of the two ends come in blocks of the same order, see {@link END_NUMBER}. */
export const NUMBER = {
  protocol: 0,
  ipVersion: 1,
  sourcePort: 2,
  destinationPort: 3,
  /** µs of Unix time. */
  start: 4,
  end: 5,
  octets: 6,
  packets: 7,
  reverseOctets: 8,
  reversePackets: 9,
  octetTotal: 10,
  packetTotal: 11,
  initiatorOctets: 12,
  responderOctets: 13,
  initiatorPackets: 14,
  responderPackets: 15,
  tcpFlags: 16,
  reverseTcpFlags: 17,
  clientTcpFlags: 18,
  serverTcpFlags: 19,
  endReason: 20,
  direction: 21,
  biflowDirection: 22,
  flowId: 23,
  retransmitted: 24,
  reverseRetransmitted: 25,
  /** Latencies in ms, with fractions. */
  clientLatencyMs: 26,
  serverLatencyMs: 27,
  applicationLatencyMs: 28,
  applicationId: 29,
  applicationConfidence: 30,
  httpStatus: 31,
  dnsReplyCode: 32,
  flowSource: 33,
  sourceId: 34,
  durationMs: 35,
  domain: 36,
  reverseOctetTotal: 37,
  reversePacketTotal: 38,
  /** Of the host, in µs of Unix time. */
  boot: 39,
  tcpSourcePort: 40,
  tcpDestinationPort: 41,
  udpSourcePort: 42,
  udpDestinationPort: 43,
  source: 44,
  destination: 54,
} as const;

/** Within the block of an end. */
export const END_NUMBER = {
  pid: 0,
  uid: 1,
  fatherPid: 2,
  fatherUid: 3,
  memoryBytes: 4,
  peakMemoryBytes: 5,
  /** Percent times 100. */
  cpuLoad: 6,
  pageFaults: 7,
  ioWait: 8,
} as const;
/** Numbers of a block; one place is free. */
export const END_NUMBERS = 10;
const NUMBERS = NUMBER.destination + END_NUMBERS;

/** Places of texts. An address is in the place of its version, the other one's is null. */
export const TEXT = {
  sourceIpv4: 0,
  destinationIpv4: 1,
  sourceIpv6: 2,
  destinationIpv6: 3,
  applicationName: 4,
  applicationCategory: 5,
  applicationInfo: 6,
  httpTarget: 7,
  httpMethod: 8,
  httpHost: 9,
  httpUserAgent: 10,
  httpVersion: 11,
  dnsQuery: 12,
  tlsServerName: 13,
  userName: 14,
  hostName: 15,
  hostId: 16,
  exporterIpv4: 17,
  exporterIpv6: 18,
  source: 19,
  destination: 26,
} as const;

export const END_TEXT = {
  name: 0,
  userName: 1,
  fatherName: 2,
  fatherUserName: 3,
  commandLine: 4,
  containerId: 5,
} as const;
export const END_TEXTS = 7;
const TEXTS = TEXT.destination + END_TEXTS;

export class FlowRecord {
  readonly numbers = new Float64Array(NUMBERS).fill(NaN);
  readonly texts: (string | null)[] = new Array<string | null>(TEXTS).fill(null);

  clear(): void {
    this.numbers.fill(NaN);
    this.texts.fill(null);
  }

  /** IP octets and packets that the record tells of, in both directions if it has both; what is unknown counts nothing. */
  get octetsTold(): number {
    return known(this.numbers[NUMBER.octets]) + known(this.numbers[NUMBER.reverseOctets]);
  }

  get packetsTold(): number {
    return known(this.numbers[NUMBER.packets]) + known(this.numbers[NUMBER.reversePackets]);
  }
}

function known(value: number | undefined): number {
  return value === undefined || Number.isNaN(value) ? 0 : value;
}
