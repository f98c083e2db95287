/** What ntopng is told besides flows, each a JSON document of its own. */
import { PEN, type Element } from '../element.js';
import type { Field } from '../template.js';

export interface ProbeFacts {
  readonly hostName: string;
  /** Id of the host; ntopng keeps 36 characters. */
  readonly hostId: string;
  readonly sourceId: number;
  readonly version: string;
  readonly interfaceName: string;
  /** Mbit/s; null when the interface has none. */
  readonly speedMbits: number | null;
  /** Null without. */
  readonly address: string | null;
  readonly activeSeconds: number;
  readonly idleSeconds: number;
}

/** Since the start, but for what is "per second". */
export interface ProbeTotals {
  readonly timeMs: number;
  readonly octets: number;
  readonly packets: number;
  readonly bitsPerSecond: number;
  readonly packetsPerSecond: number;
  readonly sentRecords: number;
  readonly notSentRecords: number;
}

/** Whoever sends one every few seconds is shown as an active probe; flows are kept as long as the timeouts in it say. */
export function eventDocument(probe: ProbeFacts, totals: ProbeTotals): string {
  const address = probe.address ?? '';
  return JSON.stringify({
    iface: { name: probe.interfaceName, speed: probe.speedMbits ?? 0, ip: address },
    probe: {
      public_ip: '',
      ip: address,
      version: probe.version,
      osname: 'Linux',
      license: '',
      edition: '',
      maintenance: '',
      uuid: probe.hostId.slice(0, 36),
      unique_source_id: probe.sourceId,
    },
    time: Math.floor(totals.timeMs / 1000),
    bytes: totals.octets,
    packets: totals.packets,
    packet_drops: 0,
    avg: { bps: totals.bitsPerSecond, pps: totals.packetsPerSecond },
    // Without the last one flows that live longer than a minute vanish.
    timeout: { lifetime: probe.activeSeconds, idle: probe.idleSeconds, collected_lifetime: probe.activeSeconds },
    drops: {
      export_queue_full: totals.notSentRecords,
      too_many_flows: 0,
      elk_flow_drops: 0,
      sflow_pkt_sample_drops: 0,
      flow_collection_drops: 0,
      flow_collection_udp_socket_drops: 0,
    },
    // Before 6.3 and since.
    zmq: { num_flow_exports: totals.sentRecords, num_exporters: 1, num_zmq_exporters: 1 },
    mode: 'packets',
  });
}

/** What each field is called: for keys that ntopng does not know by itself. */
export function templateDocument(fields: readonly Field[]): string {
  return JSON.stringify(
    fields.map(({ element }) => ({
      PEN: element.pen,
      field: element.id,
      len: element.length,
      format: formatOf(element),
      name: element.name,
      descr: element.description,
    })),
  );
}

function formatOf({ dataType, pen, isUptime }: Element): string {
  if (dataType === 'string') return 'ascii';
  if (dataType === 'ipv4Address') return 'ipv4_address';
  if (dataType === 'ipv6Address') return 'ipv6_address';
  return isUptime && pen === PEN.iana ? 'epoch' : 'formatted_uint';
}

/** A port that somebody listens on. */
export interface ListeningPort {
  readonly protocol: 'tcp' | 'udp';
  readonly ipVersion: 4 | 6;
  readonly port: number;
  /** Executable, or the name of the process; null when it is unknown. */
  readonly process: string | null;
}

export function listeningPortsDocument(
  hostName: string,
  addresses: readonly string[],
  ports: readonly ListeningPort[],
): string {
  const of = (protocol: 'tcp' | 'udp', version: 4 | 6): object[] =>
    ports
      .filter((port) => port.protocol === protocol && port.ipVersion === version)
      // A port without these would be shown with the ones of the port before.
      .map(({ port, process }) => ({ port, proc: process ?? '', pkg: '' }));
  return JSON.stringify({
    'instance-name': hostName,
    'ip-addresses': addresses,
    'listening-ports': { tcp4: of('tcp', 4), udp4: of('udp', 4), tcp6: of('tcp', 6), udp6: of('udp', 6) },
  });
}
