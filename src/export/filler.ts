/** Makes flow records of what was metered: who is source and destination, and all that the model knows of them. */
import type { Application, Endpoint, Flow, LiveState, Process } from '../correlate/index.js';
import type { Interval, Sent } from './interval.js';
import { END_NUMBER, END_NUMBERS, END_TEXT, END_TEXTS, FlowRecord, NUMBER, TEXT } from './record.js';
import type { Shape } from './specification.js';
import type { Field } from './template.js';

/** What is the same in all records of this agent. */
export interface Exporter {
  readonly hostName: string;
  readonly hostId: string;
  /** Addresses of this host; null without. */
  readonly ipv4: string | null;
  readonly ipv6: string | null;
  /** Tells this host from others. */
  readonly sourceId: number;
  /** Observation domain. */
  readonly domain: number;
  /** Boot of the host, in ms of Unix time. */
  readonly bootMs: number;
}

const TCP = 6;
const UDP = 17;
const EGRESS = 1;
const INGRESS = 0;
const INITIATOR = 1;
const REVERSE_INITIATOR = 2;
/** As newer versions of nDPI number them, and ntopng with them. */
const CONFIDENCE = { PORT: 1, ADDRESS: 7, CACHE: 5, PACKETS: 6 } as const;

/** What is told of the process at one end. */
class End {
  readonly numbers = new Float64Array(END_NUMBERS);
  readonly texts = new Array<string | null>(END_TEXTS).fill(null);
}

export class Filler {
  private readonly record = new FlowRecord();
  private readonly client = new End();
  private readonly server = new End();
  private readonly wantsUsage: boolean;
  private readonly wantsHttp: boolean;

  constructor(
    private readonly state: Pick<LiveState, 'userName' | 'usageOf'>,
    private readonly exporter: Exporter,
    private readonly shape: Shape,
    /** What the templates can tell: the rest is not looked up. */
    fields: readonly Field[],
  ) {
    const places = fields.map(({ element }) => element.place).filter((place) => place !== null);
    const numbers = new Set(places.filter(({ kind }) => kind === 'number').map(({ index }) => index));
    const texts = new Set(places.filter(({ kind }) => kind === 'text').map(({ index }) => index));
    const usage = [
      END_NUMBER.memoryBytes,
      END_NUMBER.peakMemoryBytes,
      END_NUMBER.cpuLoad,
      END_NUMBER.pageFaults,
      END_NUMBER.ioWait,
    ];
    this.wantsUsage = usage.some((at) => numbers.has(NUMBER.source + at) || numbers.has(NUMBER.destination + at));
    const http = [
      TEXT.httpTarget,
      TEXT.httpMethod,
      TEXT.httpHost,
      TEXT.httpUserAgent,
      TEXT.httpVersion,
      TEXT.applicationInfo,
    ];
    this.wantsHttp =
      http.some((at) => texts.has(at)) || numbers.has(NUMBER.httpStatus) || numbers.has(NUMBER.applicationLatencyMs);
  }

  /** Hands over each record of an interval; the record is reused. */
  fill(interval: Interval, emit: (record: FlowRecord) => void): void {
    const { client, server } = interval;
    this.fillEnd(interval.flow.client, this.client);
    this.fillEnd(interval.flow.server, this.server);
    const isForward = this.shape === 'both' || client.isSome || !server.isSome;
    const isBackward = this.shape !== 'both' && server.isSome;
    // What the client sent, and with it what the server did if one record tells of both directions.
    const isWhole = this.shape === 'both' || (this.shape === 'biflow' && isForward && isBackward);
    if (isForward) {
      this.direct(interval, true, isWhole);
      emit(this.record);
    }
    if (isBackward && !isWhole) {
      this.direct(interval, false, false);
      emit(this.record);
    }
  }

  /** Fills the record for what the client sent (`forward`) or the server; `whole` adds the other direction. */
  private direct(interval: Interval, forward: boolean, whole: boolean): void {
    const { flow, client, server } = interval;
    const { record } = this;
    record.clear();
    this.fillExporter(record);
    fillTimes(record, interval);
    const source = forward ? flow.client : flow.server;
    const destination = forward ? flow.server : flow.client;
    fillKeys(record, flow, source, destination);
    fillCounters(record, source, destination, forward ? client : server, whole ? server : null);
    const { numbers } = record;
    numbers[NUMBER.endReason] = interval.reason;
    numbers[NUMBER.direction] = source.local ? EGRESS : INGRESS;
    numbers[NUMBER.biflowDirection] = forward ? INITIATOR : REVERSE_INITIATOR;
    numbers[NUMBER.initiatorOctets] = client.payloadBytes;
    numbers[NUMBER.responderOctets] = server.payloadBytes;
    numbers[NUMBER.initiatorPackets] = client.packets;
    numbers[NUMBER.responderPackets] = server.packets;
    fillConnection(record, flow);
    if (flow.application !== null) fillApplication(record, flow.application);
    if (this.wantsHttp) fillHttp(record, flow);
    place(record, forward ? this.client : this.server, NUMBER.source, TEXT.source);
    place(record, forward ? this.server : this.client, NUMBER.destination, TEXT.destination);
    record.texts[TEXT.userName] =
      record.texts[TEXT.source + END_TEXT.userName] ?? record.texts[TEXT.destination + END_TEXT.userName] ?? null;
  }

  private fillExporter({ numbers, texts }: FlowRecord): void {
    const { exporter } = this;
    numbers[NUMBER.flowSource] = 0;
    numbers[NUMBER.sourceId] = exporter.sourceId;
    numbers[NUMBER.domain] = exporter.domain;
    numbers[NUMBER.boot] = exporter.bootMs * 1000;
    texts[TEXT.hostName] = exporter.hostName;
    texts[TEXT.hostId] = exporter.hostId;
    texts[TEXT.exporterIpv4] = exporter.ipv4;
    texts[TEXT.exporterIpv6] = exporter.ipv6;
  }

  private fillEnd(endpoint: Endpoint, { numbers, texts }: End): void {
    numbers.fill(NaN);
    texts.fill(null);
    const { process } = endpoint;
    if (process === null) return;
    numbers[END_NUMBER.pid] = process.pid;
    numbers[END_NUMBER.uid] = process.uid;
    texts[END_TEXT.name] = nameOf(process);
    texts[END_TEXT.userName] = this.state.userName(process.uid);
    texts[END_TEXT.commandLine] = commandLineOf(process);
    texts[END_TEXT.containerId] = process.container?.id ?? null;
    const { parent } = process;
    if (parent !== null) {
      numbers[END_NUMBER.fatherPid] = parent.pid;
      numbers[END_NUMBER.fatherUid] = parent.uid;
      texts[END_TEXT.fatherName] = nameOf(parent);
      texts[END_TEXT.fatherUserName] = this.state.userName(parent.uid);
    }
    if (this.wantsUsage) this.fillUsage(endpoint, process, numbers);
  }

  private fillUsage(endpoint: Endpoint, process: Process, numbers: Float64Array): void {
    const share = endpoint.shareOf(process);
    const usage = share === undefined ? null : this.state.usageOf(share);
    if (usage === null) return;
    numbers[END_NUMBER.memoryBytes] = usage.memoryBytes ?? NaN;
    numbers[END_NUMBER.peakMemoryBytes] = usage.peakMemoryBytes ?? NaN;
    numbers[END_NUMBER.cpuLoad] = Math.round((usage.averageCpuLoadPercent ?? NaN) * 100);
    numbers[END_NUMBER.pageFaults] = (usage.minorFaults ?? NaN) + (usage.majorFaults ?? NaN);
    numbers[END_NUMBER.ioWait] = Math.round((usage.ioWaitPercent ?? NaN) * 100);
  }
}

/** Null when it was not learned: no process has an empty name. */
function nameOf({ name }: Process): string | null {
  return name === '' ? null : name;
}

function fillTimes({ numbers }: FlowRecord, { startMicros, endMicros }: Interval): void {
  numbers[NUMBER.start] = startMicros;
  numbers[NUMBER.end] = endMicros;
  numbers[NUMBER.durationMs] = Math.floor(endMicros / 1000) - Math.floor(startMicros / 1000);
}

function fillKeys({ numbers, texts }: FlowRecord, flow: Flow, source: Endpoint, destination: Endpoint): void {
  const { protocolNumber, ipVersion } = flow;
  numbers[NUMBER.protocol] = protocolNumber;
  numbers[NUMBER.ipVersion] = ipVersion ?? NaN;
  texts[ipVersion === 4 ? TEXT.sourceIpv4 : TEXT.sourceIpv6] = source.address === '' ? null : source.address;
  texts[ipVersion === 4 ? TEXT.destinationIpv4 : TEXT.destinationIpv6] =
    destination.address === '' ? null : destination.address;
  const sourcePort = source.port ?? NaN;
  const destinationPort = destination.port ?? NaN;
  numbers[NUMBER.sourcePort] = sourcePort;
  numbers[NUMBER.destinationPort] = destinationPort;
  if (protocolNumber === TCP) {
    numbers[NUMBER.tcpSourcePort] = sourcePort;
    numbers[NUMBER.tcpDestinationPort] = destinationPort;
  } else if (protocolNumber === UDP) {
    numbers[NUMBER.udpSourcePort] = sourcePort;
    numbers[NUMBER.udpDestinationPort] = destinationPort;
  }
  numbers[NUMBER.flowId] = flow.sequence + 1;
}

function fillCounters(
  { numbers }: FlowRecord,
  source: Endpoint,
  destination: Endpoint,
  sent: Sent,
  received: Sent | null,
): void {
  numbers[NUMBER.octets] = sent.octets;
  numbers[NUMBER.packets] = sent.packets;
  numbers[NUMBER.octetTotal] = source.octets ?? NaN;
  numbers[NUMBER.packetTotal] = source.packets ?? NaN;
  numbers[NUMBER.retransmitted] = sent.retransmitted;
  numbers[NUMBER.tcpFlags] = flagsOf(source);
  if (received === null) return;
  numbers[NUMBER.reverseOctets] = received.octets;
  numbers[NUMBER.reversePackets] = received.packets;
  numbers[NUMBER.reverseOctetTotal] = destination.octets ?? NaN;
  numbers[NUMBER.reversePacketTotal] = destination.packets ?? NaN;
  numbers[NUMBER.reverseRetransmitted] = received.retransmitted;
  numbers[NUMBER.reverseTcpFlags] = flagsOf(destination);
}

/** The flags of byte 13 of the header; NaN when no packet was seen. */
function flagsOf({ tcpFlagBits }: Endpoint): number {
  return tcpFlagBits < 0 ? NaN : tcpFlagBits & 0xff;
}

function fillConnection({ numbers }: FlowRecord, { protocolNumber, client, server, minRttMicros }: Flow): void {
  if (protocolNumber !== TCP) return;
  numbers[NUMBER.clientTcpFlags] = flagsOf(client);
  numbers[NUMBER.serverTcpFlags] = flagsOf(server);
  if (minRttMicros === null) return;
  // Half of the round trip lies between this host and the end that is elsewhere.
  if (client.local) numbers[NUMBER.serverLatencyMs] = minRttMicros / 2000;
  else numbers[NUMBER.clientLatencyMs] = minRttMicros / 2000;
}

function fillApplication({ numbers, texts }: FlowRecord, application: Application): void {
  const { protocol, name, confidence, serverName, dnsQuery, dnsReplyCode, httpHost } = application;
  numbers[NUMBER.applicationId] = application.id;
  texts[TEXT.applicationName] = protocol === name ? name : `${protocol}.${name}`;
  texts[TEXT.applicationCategory] = application.category;
  texts[TEXT.applicationInfo] = serverName ?? dnsQuery ?? httpHost;
  texts[TEXT.tlsServerName] = serverName;
  texts[TEXT.dnsQuery] = dnsQuery;
  numbers[NUMBER.dnsReplyCode] = dnsReplyCode ?? NaN;
  if (confidence !== null) numbers[NUMBER.applicationConfidence] = CONFIDENCE[confidence];
  texts[TEXT.httpHost] = httpHost;
  texts[TEXT.httpUserAgent] = application.httpUserAgent;
}

/** The latest exchange that ended; without one, what the application's detection saw of the first stays. */
function fillHttp({ numbers, texts }: FlowRecord, { exchanges }: Flow): void {
  if (exchanges === null) return;
  const latest = exchanges.all.get(Math.max(exchanges.clientEndedUpTo, exchanges.serverEndedUpTo));
  if (latest === undefined) return;
  texts[TEXT.httpMethod] = latest.method;
  texts[TEXT.httpTarget] = latest.target;
  texts[TEXT.httpHost] = latest.hostHeader ?? texts[TEXT.httpHost] ?? null;
  texts[TEXT.httpUserAgent] = latest.userAgent ?? texts[TEXT.httpUserAgent] ?? null;
  texts[TEXT.httpVersion] = latest.protocol;
  numbers[NUMBER.httpStatus] = latest.status ?? NaN;
  const { requestEndMicros, firstResponseByteMicros } = latest;
  if (requestEndMicros === null || firstResponseByteMicros === null) return;
  numbers[NUMBER.applicationLatencyMs] = Math.max(0, firstResponseByteMicros - requestEndMicros) / 1000;
}

function place({ numbers, texts }: FlowRecord, end: End, firstNumber: number, firstText: number): void {
  numbers.set(end.numbers, firstNumber);
  for (let i = 0; i < END_TEXTS; i++) texts[firstText + i] = end.texts[i] ?? null;
}

function commandLineOf({ arguments: words }: Process): string | null {
  return words === null || words.length === 0 ? null : words.join(' ');
}
