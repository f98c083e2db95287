/**
 * The table of all information elements: templates, keys in JSON, type records (RFC 5610), `procflow elements` and the
 * documentation are made of it.
 */
import { PEN, type DataType, type Element, type Place, type Semantics, type Units } from './element.js';
import { END_NUMBER, END_TEXT, NUMBER, TEXT } from './record.js';

const LENGTHS: Readonly<Record<Exclude<DataType, 'string'>, number>> = {
  unsigned8: 1,
  unsigned16: 2,
  unsigned32: 4,
  unsigned64: 8,
  dateTimeSeconds: 4,
  dateTimeMilliseconds: 8,
  dateTimeMicroseconds: 8,
  dateTimeNanoseconds: 8,
  ipv4Address: 4,
  ipv6Address: 16,
};

interface More {
  readonly length?: number;
  readonly units?: Units;
  readonly isKey?: boolean;
  readonly isUptime?: boolean;
}

function number(index: number, reverse?: number): Place {
  return reverse === undefined ? { kind: 'number', index } : { kind: 'number', index, reverse };
}

function text(index: number): Place {
  return { kind: 'text', index };
}

const DEFAULT_SEMANTICS: Readonly<Partial<Record<DataType, Semantics>>> = {
  unsigned8: 'identifier',
  unsigned16: 'identifier',
  unsigned32: 'quantity',
  unsigned64: 'quantity',
};

/** `names`: in NetFlow v9 and in IPFIX, or only the latter. */
function element(
  pen: number,
  id: number,
  names: string,
  type: DataType | `${DataType}:${Semantics}`,
  place: Place | null,
  source: string,
  description: string,
  more: More = {},
): Element {
  const [name = '', ipfixName = name] = names.split(' ');
  const [dataType, semantics] = type.split(':') as [DataType, Semantics?];
  return {
    pen,
    id,
    name,
    ipfixName,
    dataType,
    length: more.length ?? (dataType === 'string' ? 32 : LENGTHS[dataType]),
    units: more.units ?? 'none',
    semantics: semantics ?? DEFAULT_SEMANTICS[dataType] ?? 'default',
    place,
    isKey: more.isKey ?? false,
    isUptime: more.isUptime ?? false,
    description,
    source,
  };
}

type Row = Parameters<typeof element> extends [number, ...infer Rest] ? Rest : never;

const iana = (...row: Row): Element => element(PEN.iana, ...row);
const ntop = (...row: Row): Element => element(PEN.ntop, ...row);

const NOT_MEASURED = '';
const KEY: More = { isKey: true };
const OCTETS: More = { units: 'octets' };
const PACKETS: More = { units: 'packets' };
const MS: More = { units: 'milliseconds' };

// A row is a line.
// prettier-ignore
const FLOW: readonly Element[] = [
  iana(1, 'IN_BYTES octetDeltaCount', 'unsigned64:deltaCounter', number(NUMBER.octets, NUMBER.reverseOctets), 'sent.octets', 'IP octets of the interval, headers included.', OCTETS),
  iana(2, 'IN_PKTS packetDeltaCount', 'unsigned64:deltaCounter', number(NUMBER.packets, NUMBER.reversePackets), 'sent.packets', 'IP packets of the interval.', PACKETS),
  iana(4, 'PROTOCOL protocolIdentifier', 'unsigned8', number(NUMBER.protocol), 'protocolNumber', 'IP protocol.', KEY),
  iana(5, 'SRC_TOS ipClassOfService', 'unsigned8', null, NOT_MEASURED, 'Type of service.'),
  iana(6, 'TCP_FLAGS tcpControlBits', 'unsigned16:flags', number(NUMBER.tcpFlags, NUMBER.reverseTcpFlags), 'sent.tcpFlags', 'All TCP flags that the source has set so far.'),
  iana(7, 'L4_SRC_PORT sourceTransportPort', 'unsigned16', number(NUMBER.sourcePort), 'port', 'Port of the source.', KEY),
  iana(8, 'IPV4_SRC_ADDR sourceIPv4Address', 'ipv4Address', text(TEXT.sourceIpv4), 'address', 'IPv4 address of the source.', KEY),
  iana(9, 'IPV4_SRC_MASK sourceIPv4PrefixLength', 'unsigned8', null, NOT_MEASURED, 'Prefix length of the route to the source.'),
  iana(10, 'INPUT_SNMP ingressInterface', 'unsigned32:identifier', null, NOT_MEASURED, 'Interface that packets came in by.'),
  iana(11, 'L4_DST_PORT destinationTransportPort', 'unsigned16', number(NUMBER.destinationPort), 'port', 'Port of the destination.', KEY),
  iana(12, 'IPV4_DST_ADDR destinationIPv4Address', 'ipv4Address', text(TEXT.destinationIpv4), 'address', 'IPv4 address of the destination.', KEY),
  iana(13, 'IPV4_DST_MASK destinationIPv4PrefixLength', 'unsigned8', null, NOT_MEASURED, 'Prefix length of the route to the destination.'),
  iana(14, 'OUTPUT_SNMP egressInterface', 'unsigned32:identifier', null, NOT_MEASURED, 'Interface that packets went out by.'),
  iana(16, 'SRC_AS bgpSourceAsNumber', 'unsigned32:identifier', null, NOT_MEASURED, 'Autonomous system of the source.'),
  iana(17, 'DST_AS bgpDestinationAsNumber', 'unsigned32:identifier', null, NOT_MEASURED, 'Autonomous system of the destination.'),
  iana(21, 'LAST_SWITCHED flowEndSysUpTime', 'unsigned32', number(NUMBER.end), 'lastTime', 'Last packet of the interval, since the boot of the host.', { ...MS, isUptime: true }),
  iana(22, 'FIRST_SWITCHED flowStartSysUpTime', 'unsigned32', number(NUMBER.start), 'startTime', 'First packet of the interval, since the boot of the host.', { ...MS, isUptime: true }),
  iana(23, 'OUT_BYTES postOctetDeltaCount', 'unsigned64:deltaCounter', number(NUMBER.reverseOctets), 'sent.octets', 'As ntop has it: IP octets of the other direction. With it a record tells both directions.', OCTETS),
  iana(24, 'OUT_PKTS postPacketDeltaCount', 'unsigned64:deltaCounter', number(NUMBER.reversePackets), 'sent.packets', 'As ntop has it: IP packets of the other direction. With it a record tells both directions.', PACKETS),
  iana(27, 'IPV6_SRC_ADDR sourceIPv6Address', 'ipv6Address', text(TEXT.sourceIpv6), 'address', 'IPv6 address of the source.', KEY),
  iana(28, 'IPV6_DST_ADDR destinationIPv6Address', 'ipv6Address', text(TEXT.destinationIpv6), 'address', 'IPv6 address of the destination.', KEY),
  iana(32, 'ICMP_TYPE icmpTypeCodeIPv4', 'unsigned16', null, NOT_MEASURED, 'ICMP type times 256 plus code.'),
  iana(42, 'TOTAL_FLOWS_EXP exportedFlowRecordTotalCount', 'unsigned64:totalCounter', null, NOT_MEASURED, 'Exported flow records; told in the statistics.', { units: 'flows' }),
  iana(55, 'DST_TOS postIpClassOfService', 'unsigned8', null, NOT_MEASURED, 'Type of service.'),
  iana(56, 'IN_SRC_MAC sourceMacAddress', 'unsigned64', null, NOT_MEASURED, 'MAC address of the source.', { length: 6 }),
  iana(57, 'OUT_DST_MAC postDestinationMacAddress', 'unsigned64', null, NOT_MEASURED, 'MAC address of the destination.', { length: 6 }),
  iana(58, 'SRC_VLAN vlanId', 'unsigned16', null, NOT_MEASURED, 'VLAN.'),
  iana(60, 'IP_PROTOCOL_VERSION ipVersion', 'unsigned8', number(NUMBER.ipVersion), 'ipVersion', 'IP version.', KEY),
  iana(61, 'DIRECTION flowDirection', 'unsigned8', number(NUMBER.direction), 'direction', 'Seen from this host: 0 ingress, 1 egress. Of a local flow, egress.'),
  iana(85, 'octetTotalCount', 'unsigned64:totalCounter', number(NUMBER.octetTotal, NUMBER.reverseOctetTotal), 'sent.octets', 'IP octets since the flow began.', OCTETS),
  iana(86, 'packetTotalCount', 'unsigned64:totalCounter', number(NUMBER.packetTotal, NUMBER.reversePacketTotal), 'sent.packets', 'IP packets since the flow began.', PACKETS),
  iana(96, 'applicationName', 'string', text(TEXT.applicationName), 'application', 'Application protocol, as nDPI names it.'),
  iana(130, 'EXPORTER_IPV4_ADDRESS exporterIPv4Address', 'ipv4Address', text(TEXT.exporterIpv4), 'host', 'An IPv4 address of this host.'),
  iana(131, 'EXPORTER_IPV6_ADDRESS exporterIPv6Address', 'ipv6Address', text(TEXT.exporterIpv6), 'host', 'An IPv6 address of this host.'),
  iana(136, 'FLOW_END_REASON flowEndReason', 'unsigned8', number(NUMBER.endReason), 'endReason', '1 idle, 2 active timeout, 3 end of flow, 4 forced.'),
  iana(139, 'icmpTypeCodeIPv6', 'unsigned16', null, NOT_MEASURED, 'ICMPv6 type times 256 plus code.'),
  iana(148, 'FLOW_ID flowId', 'unsigned64:identifier', number(NUMBER.flowId), 'sequence', 'The same for all records of a flow.'),
  iana(149, 'OBSERVATION_DOMAIN_ID observationDomainId', 'unsigned32:identifier', number(NUMBER.domain), 'export.domain', 'Observation domain.'),
  iana(150, 'FLOW_START_SEC flowStartSeconds', 'dateTimeSeconds', number(NUMBER.start), 'startTime', 'First packet of the interval.', { units: 'seconds' }),
  iana(151, 'FLOW_END_SEC flowEndSeconds', 'dateTimeSeconds', number(NUMBER.end), 'lastTime', 'Last packet of the interval.', { units: 'seconds' }),
  iana(152, 'FLOW_START_MILLISECONDS flowStartMilliseconds', 'dateTimeMilliseconds', number(NUMBER.start), 'startTime', 'First packet of the interval.', MS),
  iana(153, 'FLOW_END_MILLISECONDS flowEndMilliseconds', 'dateTimeMilliseconds', number(NUMBER.end), 'lastTime', 'Last packet of the interval.', MS),
  iana(154, 'FLOW_START_MICROSECONDS flowStartMicroseconds', 'dateTimeMicroseconds', number(NUMBER.start), 'startTime', 'First packet of the interval, as an NTP time stamp.'),
  iana(155, 'FLOW_END_MICROSECONDS flowEndMicroseconds', 'dateTimeMicroseconds', number(NUMBER.end), 'lastTime', 'Last packet of the interval, as an NTP time stamp.'),
  iana(160, 'systemInitTimeMilliseconds', 'dateTimeMilliseconds', number(NUMBER.boot), 'host', 'Boot of the host, which FIRST_SWITCHED and LAST_SWITCHED count from.', MS),
  iana(161, 'FLOW_DURATION_MILLISECONDS flowDurationMilliseconds', 'unsigned32', number(NUMBER.durationMs), 'durationMs', 'From the first to the last packet of the interval.', MS),
  iana(180, 'UDP_SRC_PORT udpSourcePort', 'unsigned16', number(NUMBER.udpSourcePort), 'port', 'UDP port of the source.', KEY),
  iana(181, 'UDP_DST_PORT udpDestinationPort', 'unsigned16', number(NUMBER.udpDestinationPort), 'port', 'UDP port of the destination.', KEY),
  iana(182, 'TCP_SRC_PORT tcpSourcePort', 'unsigned16', number(NUMBER.tcpSourcePort), 'port', 'TCP port of the source.', KEY),
  iana(183, 'TCP_DST_PORT tcpDestinationPort', 'unsigned16', number(NUMBER.tcpDestinationPort), 'port', 'TCP port of the destination.', KEY),
  iana(231, 'initiatorOctets', 'unsigned64:deltaCounter', number(NUMBER.initiatorOctets), 'client.sent.payloadBytes', 'Payload that the client sent in the interval.', OCTETS),
  iana(232, 'responderOctets', 'unsigned64:deltaCounter', number(NUMBER.responderOctets), 'server.sent.payloadBytes', 'Payload that the server sent in the interval.', OCTETS),
  iana(239, 'BIFLOW_DIRECTION biflowDirection', 'unsigned8', number(NUMBER.biflowDirection), 'client', '1 initiator: the source opened the flow; 2 reverse initiator: the destination did.'),
  iana(298, 'initiatorPackets', 'unsigned64:deltaCounter', number(NUMBER.initiatorPackets), 'client.sent.packets', 'Packets that the client sent in the interval.', PACKETS),
  iana(299, 'responderPackets', 'unsigned64:deltaCounter', number(NUMBER.responderPackets), 'server.sent.packets', 'Packets that the server sent in the interval.', PACKETS),
  iana(371, 'USER_NAME userName', 'string', text(TEXT.userName), 'user.name', 'User of the local process: the source\'s if it is local.'),
  iana(457, 'httpStatusCode', 'unsigned16', number(NUMBER.httpStatus), 'exchanges.status', 'Status of the latest HTTP response.'),
  iana(459, 'httpRequestMethod', 'string', text(TEXT.httpMethod), 'exchanges.method', 'Method of the latest HTTP request.', { length: 16 }),
  iana(460, 'httpRequestHost', 'string', text(TEXT.httpHost), 'exchanges.hostHeader', 'Host of the latest HTTP request.', { length: 64 }),
  iana(461, 'httpRequestTarget', 'string', text(TEXT.httpTarget), 'exchanges.target', 'Target of the latest HTTP request.', { length: 128 }),
  iana(462, 'httpMessageVersion', 'string', text(TEXT.httpVersion), 'exchanges.protocol', 'Version of HTTP.', { length: 16 }),
  iana(468, 'httpUserAgent', 'string', text(TEXT.httpUserAgent), 'exchanges.userAgent', 'User agent of the latest HTTP request.', { length: 128 }),
];

const NAME: More = { length: 16 };

interface EndIds {
  readonly pid: number;
  readonly name: number;
  readonly user: number;
  readonly fatherPid: number;
  readonly fatherName: number;
  readonly memory: number;
  readonly peak: number;
  readonly load: number;
  readonly faults: number;
  readonly ioWait: number;
  readonly uid: number;
  readonly packageName: number;
  readonly commandLine: number;
  readonly container: number;
  readonly fatherPackage: number;
  readonly fatherUid: number;
  readonly fatherUser: number;
}

/** What is told of the process at an end: `side` is SRC or DST. */
function endElements(side: 'SRC' | 'DST', numbers: number, texts: number, id: EndIds): readonly Element[] {
  const end = side === 'SRC' ? 'source' : 'destination';
  const at = (index: number): Place => number(numbers + index);
  const words = (index: number): Place => text(texts + index);
  // prettier-ignore
  return [
    ntop(id.pid, `${side}_PROC_PID`, 'unsigned32:identifier', at(END_NUMBER.pid), 'process.pid', `Process id of the process at the ${end}.`),
    ntop(id.name, `${side}_PROC_NAME`, 'string', words(END_TEXT.name), 'process.name', `Name of the process at the ${end}.`, NAME),
    ntop(id.user, `${side}_PROC_USER_NAME`, 'string', words(END_TEXT.userName), 'process.user.name', `User of the process at the ${end}.`, NAME),
    ntop(id.fatherPid, `${side}_FATHER_PROC_PID`, 'unsigned32:identifier', at(END_NUMBER.fatherPid), 'process.parent.pid', `Process id of its parent.`),
    ntop(id.fatherName, `${side}_FATHER_PROC_NAME`, 'string', words(END_TEXT.fatherName), 'process.parent.name', `Name of its parent.`, NAME),
    ntop(id.memory, `${side}_PROC_ACTUAL_MEMORY`, 'unsigned32:quantity', at(END_NUMBER.memoryBytes), 'usage.memoryBytes', `Resident memory at the end of the flow's window, at most 4294967295.`, OCTETS),
    ntop(id.peak, `${side}_PROC_PEAK_MEMORY`, 'unsigned32:quantity', at(END_NUMBER.peakMemoryBytes), 'usage.peakMemoryBytes', `Highest resident memory in the flow's window, at most 4294967295.`, OCTETS),
    ntop(id.load, `${side}_PROC_AVERAGE_CPU_LOAD`, 'unsigned32:quantity', at(END_NUMBER.cpuLoad), 'usage.averageCpuLoadPercent', `CPU time over the length of the flow's window, in percent of one CPU times 100.`),
    ntop(id.faults, `${side}_PROC_NUM_PAGE_FAULTS`, 'unsigned32:totalCounter', at(END_NUMBER.pageFaults), 'usage.minorFaults + usage.majorFaults', `Page faults in the flow's window.`),
    ntop(id.ioWait, `${side}_PROC_PCTG_IOWAIT`, 'unsigned32:quantity', at(END_NUMBER.ioWait), 'usage.ioWaitPercent', `Time of waiting for block I/O over the length of the flow's window, in percent times 100.`),
    ntop(id.uid, `${side}_PROC_UID`, 'unsigned32:identifier', at(END_NUMBER.uid), 'process.user.uid', `User id of the process at the ${end}.`),
    ntop(id.packageName, `${side}_PROC_PKG_NAME`, 'string', null, NOT_MEASURED, `Package of the process at the ${end}.`, NAME),
    ntop(id.commandLine, `${side}_PROC_CMDLINE`, 'string', words(END_TEXT.commandLine), 'process.commandLine', `Command line of the process at the ${end}, redacted as configured.`),
    ntop(id.container, `${side}_PROC_CONTAINER_ID`, 'string', words(END_TEXT.containerId), 'container.id', `Container of the process at the ${end}.`, NAME),
    ntop(id.fatherPackage, `${side}_FATHER_PROC_PKG_NAME`, 'string', null, NOT_MEASURED, `Package of its parent.`, NAME),
    ntop(id.fatherUid, `${side}_FATHER_PROC_UID`, 'unsigned32:identifier', at(END_NUMBER.fatherUid), 'process.parent.user.uid', `User id of its parent.`),
    ntop(id.fatherUser, `${side}_FATHER_PROC_USER_NAME`, 'string', words(END_TEXT.fatherUserName), 'process.parent.user.name', `User of its parent.`, NAME),
  ];
}

const ENDS: readonly Element[] = [
  ...endElements('SRC', NUMBER.source, TEXT.source, {
    ...{ pid: 168, name: 169, user: 372, fatherPid: 373, fatherName: 374 },
    ...{ memory: 383, peak: 384, load: 385, faults: 386, ioWait: 393 },
    ...{ uid: 425, packageName: 540, commandLine: 556, container: 558 },
    ...{ fatherPackage: 561, fatherUid: 564, fatherUser: 565 },
  }),
  ...endElements('DST', NUMBER.destination, TEXT.destination, {
    ...{ pid: 375, name: 376, user: 377, fatherPid: 378, fatherName: 379 },
    ...{ memory: 387, peak: 388, load: 389, faults: 390, ioWait: 394 },
    ...{ uid: 426, packageName: 541, commandLine: 557, container: 559 },
    ...{ fatherPackage: 563, fatherUid: 567, fatherUser: 568 },
  }),
];

// prettier-ignore
const NTOP: readonly Element[] = [
  ntop(78, 'CLIENT_TCP_FLAGS', 'unsigned8:flags', number(NUMBER.clientTcpFlags), 'client.sent.tcpFlags', 'All TCP flags that the client has set.'),
  ntop(79, 'SERVER_TCP_FLAGS', 'unsigned8:flags', number(NUMBER.serverTcpFlags), 'server.sent.tcpFlags', 'All TCP flags that the server has set.'),
  ntop(109, 'RETRANSMITTED_IN_PKTS', 'unsigned32:deltaCounter', number(NUMBER.retransmitted), 'sent.retransmittedPackets', 'Packets of the interval that the source retransmitted.', PACKETS),
  ntop(110, 'RETRANSMITTED_OUT_PKTS', 'unsigned32:deltaCounter', number(NUMBER.reverseRetransmitted), 'sent.retransmittedPackets', 'Packets of the interval that the destination retransmitted.', PACKETS),
  ntop(111, 'OOORDER_IN_PKTS', 'unsigned32:deltaCounter', null, NOT_MEASURED, 'Packets from the source out of order.', PACKETS),
  ntop(112, 'OOORDER_OUT_PKTS', 'unsigned32:deltaCounter', null, NOT_MEASURED, 'Packets from the destination out of order.', PACKETS),
  ntop(118, 'L7_PROTO', 'unsigned16:identifier', number(NUMBER.applicationId), 'application', 'Application protocol, by its number in nDPI.'),
  ntop(119, 'L7_PROTO_NAME', 'string', text(TEXT.applicationName), 'application', 'Application protocol, as nDPI names it: TLS, or TLS.Google.'),
  ntop(122, 'NPROBE_INSTANCE_NAME', 'string', text(TEXT.hostName), 'host.name', 'Name of this host.'),
  ntop(123, 'CLIENT_NW_LATENCY_MS', 'unsigned32:quantity', number(NUMBER.clientLatencyMs), 'minRttMicros', 'Half the shortest round trip to a remote client.', MS),
  ntop(124, 'SERVER_NW_LATENCY_MS', 'unsigned32:quantity', number(NUMBER.serverLatencyMs), 'minRttMicros', 'Half the shortest round trip from a local client to its server.', MS),
  ntop(125, 'APPL_LATENCY_MS', 'unsigned32:quantity', number(NUMBER.applicationLatencyMs), 'exchanges', 'From the end of the latest HTTP request to the first byte of its response.', MS),
  ntop(180, 'HTTP_URL', 'string', text(TEXT.httpTarget), 'exchanges.target', 'Target of the latest HTTP request.', { length: 128 }),
  ntop(181, 'HTTP_RET_CODE', 'unsigned16:quantity', number(NUMBER.httpStatus), 'exchanges.status', 'Status of the latest HTTP response.'),
  ntop(182, 'HTTP_REFERER', 'string', null, NOT_MEASURED, 'Referer of an HTTP request.', { length: 128 }),
  ntop(183, 'HTTP_USER_AGENT', 'string', text(TEXT.httpUserAgent), 'exchanges.userAgent', 'User agent of the latest HTTP request.', { length: 128 }),
  ntop(184, 'HTTP_MIME', 'string', null, NOT_MEASURED, 'Media type of an HTTP response.', { length: 64 }),
  ntop(187, 'HTTP_HOST', 'string', text(TEXT.httpHost), 'exchanges.hostHeader', 'Host of the latest HTTP request.', { length: 64 }),
  ntop(188, 'TLS_SERVER_NAME', 'string', text(TEXT.tlsServerName), 'application.serverName', 'Server name that a TLS or QUIC client asks for.', { length: 48 }),
  ntop(205, 'DNS_QUERY', 'string', text(TEXT.dnsQuery), 'application.dnsQuery', 'Name that the latest DNS query asks for.', { length: 256 }),
  ntop(206, 'DNS_QUERY_ID', 'unsigned16:identifier', null, NOT_MEASURED, 'Id of a DNS query.'),
  ntop(207, 'DNS_QUERY_TYPE', 'unsigned8:identifier', null, NOT_MEASURED, 'Type of a DNS query.'),
  ntop(208, 'DNS_RET_CODE', 'unsigned8:identifier', number(NUMBER.dnsReplyCode), 'application.dnsReplyCode', 'Code of the latest DNS reply: 0 no error, 3 no such name.'),
  ntop(209, 'DNS_NUM_ANSWERS', 'unsigned8:quantity', null, NOT_MEASURED, 'Answers in a DNS reply.'),
  ntop(360, 'HTTP_METHOD', 'string', text(TEXT.httpMethod), 'exchanges.method', 'Method of the latest HTTP request.', { length: 16 }),
  ntop(361, 'HTTP_SITE', 'string', text(TEXT.httpHost), 'exchanges.hostHeader', 'Host of the latest HTTP request.', { length: 64 }),
  ntop(471, 'NPROBE_IPV4_ADDRESS', 'ipv4Address', text(TEXT.exporterIpv4), 'host', 'An IPv4 address of this host.'),
  ntop(501, 'L7_PROTO_CATEGORY', 'string', text(TEXT.applicationCategory), 'application.category', 'Category of the application in nDPI.', { length: 16 }),
  ntop(539, 'L7_INFO', 'string', text(TEXT.applicationInfo), 'application', 'Server name, DNS name or HTTP host of the flow.', { length: 64 }),
  ntop(560, 'L7_CONFIDENCE', 'unsigned8:identifier', number(NUMBER.applicationConfidence), 'application.confidence', 'How nDPI told the application: 1 port, 5 cache, 6 packets, 7 address.'),
  ntop(579, 'FLOW_SOURCE', 'unsigned8:identifier', number(NUMBER.flowSource), 'host', '0: flows are made on this host, not collected.'),
  ntop(589, 'UNIQUE_SOURCE_ID', 'unsigned32:identifier', number(NUMBER.sourceId), 'host.id', 'Tells this host from others.'),
  ntop(590, 'NPROBE_UUID', 'string', text(TEXT.hostId), 'host.id', 'Id of this host.', { length: 40 }),
];

/** Every element that a template may name. */
export const ELEMENTS: readonly Element[] = [...FLOW, ...ENDS, ...NTOP];

/** The elements of statistics and type records; a flow's template cannot name them. */
// prettier-ignore
export const OPTION_ELEMENTS = {
  exportedOctetTotalCount: iana(40, 'TOTAL_BYTES_EXP exportedOctetTotalCount', 'unsigned64:totalCounter', null, '', '', OCTETS),
  exportedMessageTotalCount: iana(41, 'TOTAL_PKTS_EXP exportedMessageTotalCount', 'unsigned64:totalCounter', null, '', ''),
  exportedFlowRecordTotalCount: iana(42, 'TOTAL_FLOWS_EXP exportedFlowRecordTotalCount', 'unsigned64:totalCounter', null, '', ''),
  flowActiveTimeout: iana(36, 'FLOW_ACTIVE_TIMEOUT flowActiveTimeout', 'unsigned16', null, '', '', { units: 'seconds' }),
  flowIdleTimeout: iana(37, 'FLOW_INACTIVE_TIMEOUT flowIdleTimeout', 'unsigned16', null, '', '', { units: 'seconds' }),
  samplingInterval: iana(34, 'SAMPLING_INTERVAL samplingInterval', 'unsigned32:quantity', null, '', '', PACKETS),
  samplingAlgorithm: iana(35, 'SAMPLING_ALGORITHM samplingAlgorithm', 'unsigned8', null, '', ''),
  selectorAlgorithm: iana(304, 'selectorAlgorithm', 'unsigned16', null, '', ''),
  samplingPacketInterval: iana(305, 'samplingPacketInterval', 'unsigned32:quantity', null, '', '', PACKETS),
  samplingPacketSpace: iana(306, 'samplingPacketSpace', 'unsigned32:quantity', null, '', '', PACKETS),
  meteringProcessId: iana(143, 'meteringProcessId', 'unsigned32:identifier', null, '', ''),
  exportingProcessId: iana(144, 'exportingProcessId', 'unsigned32:identifier', null, '', ''),
  templateId: iana(145, 'templateId', 'unsigned16', null, '', ''),
  observationDomainId: iana(149, 'observationDomainId', 'unsigned32:identifier', null, '', ''),
  notSentFlowTotalCount: iana(166, 'notSentFlowTotalCount', 'unsigned64:totalCounter', null, '', ''),
  notSentPacketTotalCount: iana(167, 'notSentPacketTotalCount', 'unsigned64:totalCounter', null, '', ''),
  notSentOctetTotalCount: iana(168, 'notSentOctetTotalCount', 'unsigned64:totalCounter', null, '', ''),
  flowKeyIndicator: iana(173, 'flowKeyIndicator', 'unsigned64:flags', null, '', ''),
  informationElementId: iana(303, 'informationElementId', 'unsigned16', null, '', ''),
  observationTimeMilliseconds: iana(323, 'observationTimeMilliseconds', 'dateTimeMilliseconds', null, '', ''),
  informationElementDataType: iana(339, 'informationElementDataType', 'unsigned8', null, '', ''),
  informationElementDescription: iana(340, 'informationElementDescription', 'string', null, '', ''),
  informationElementName: iana(341, 'informationElementName', 'string', null, '', ''),
  informationElementRangeBegin: iana(342, 'informationElementRangeBegin', 'unsigned64', null, '', ''),
  informationElementRangeEnd: iana(343, 'informationElementRangeEnd', 'unsigned64', null, '', ''),
  informationElementSemantics: iana(344, 'informationElementSemantics', 'unsigned8', null, '', ''),
  informationElementUnits: iana(345, 'informationElementUnits', 'unsigned16', null, '', ''),
  privateEnterpriseNumber: iana(346, 'privateEnterpriseNumber', 'unsigned32:identifier', null, '', ''),
} as const;

/** Other names that people know an element by. */
const ALIASES: Readonly<Record<string, string>> = {
  SRC_TO_DST_BYTES: 'IN_BYTES',
  SRC_TO_DST_PKTS: 'IN_PKTS',
  DST_TO_SRC_BYTES: 'OUT_BYTES',
  DST_TO_SRC_PKTS: 'OUT_PKTS',
  APPLICATION_NAME: 'L7_PROTO_NAME',
  HTTP_UA: 'HTTP_USER_AGENT',
  SSL_SERVER_NAME: 'TLS_SERVER_NAME',
  FLOW_SERVER_NAME: 'NPROBE_INSTANCE_NAME',
};

const byName = new Map<string, Element>();
for (const known of ELEMENTS) {
  byName.set(known.name.toUpperCase(), known);
  byName.set(known.ipfixName.toUpperCase(), known);
}
for (const [alias, name] of Object.entries(ALIASES)) {
  const known = byName.get(name);
  if (known !== undefined) byName.set(alias, known);
}

/** The element of a name in either spelling; letter case does not count. */
export function elementNamed(name: string): Element | undefined {
  return byName.get(name.toUpperCase());
}

/** Every name that {@link elementNamed} knows, as it is spelled. */
export function elementNames(): string[] {
  const names = ELEMENTS.flatMap(({ name, ipfixName }) => [name, ipfixName]);
  return [...new Set([...names, ...Object.keys(ALIASES)])];
}
