/** Batches as a busy host makes them, for the benches of the correlator. */
import { decodeBatch, BatchWriter, type Batch, type WrittenRow } from '../../src/capture/batch.js';
import {
  PROCESS_KIND,
  SOCKET_FLAG,
  SOCKET_KIND,
  TRAFFIC_FLAG,
  USAGE_FLAG,
  USAGE_KIND,
} from '../../src/capture/layout.js';
import { Correlator, type CorrelatorOptions } from '../../src/correlate/index.js';

const MS = 1e6;
const SERVER_PID = 100;
const CLIENT_PID = 200;
const NETNS = 4026531840;

type SocketRow = WrittenRow<'socket'>;

export function benchCorrelator(options: Partial<CorrelatorOptions> = {}): Correlator {
  return new Correlator({
    host: { id: 'bench', name: 'bench', bootId: 'bench', kernel: '', agentVersion: '', agentPid: 1, startMicros: 0 },
    flows: { idleTimeoutMs: 30_000, keepEndedMs: 60_000, keepEndedMax: 100_000, maxLive: 10_000_000 },
    processes: { keepExitedMs: 60_000, keepExitedMax: 100_000, redact: [] },
    exchanges: { keepEndedMs: 60_000, keepEndedMax: 100_000, maxLive: 100_000, queryStrings: false, redact: [] },
    resolveUsers: (uids) => Promise.resolve(uids.map(() => null)),
    capture: () => ({
      source: 'replay',
      sourceReason: null,
      tiers: [],
      programRuns: {},
      lastPollMs: null,
      pollIntervalMs: null,
      sampleIntervalMs: null,
      delayAccounting: null,
      governor: null,
      agentCapabilities: { capture: null, others: [] },
    }),
    clock: 'batch',
    ...options,
  });
}

/** The processes that all flows belong to. */
export function processBatch(): ArrayBuffer {
  const writer = new BatchWriter();
  for (const [pid, name] of [
    [SERVER_PID, 'nginx'],
    [CLIENT_PID, 'curl'],
  ] as const) {
    writer.add('process', { kind: PROCESS_KIND.seen, pid, startNs: pid * MS, name, executable: `/usr/bin/${name}` });
  }
  return writer.seal(1000 * MS, 1.7e18);
}

/** A client's address and port, another for each `index`. */
function peerOf(index: number): { address: string; port: number } {
  const host = Math.floor(index / 50_000);
  return { address: `100.64.${(host >> 8) & 255}.${host & 255}`, port: 10_000 + (index % 50_000) };
}

function accepted(index: number, kind: number, nowMs: number): SocketRow {
  const peer = peerOf(index);
  return {
    kind,
    family: 2,
    type: 1,
    protocol: 6,
    state: kind === SOCKET_KIND.ended ? 7 : 1,
    fromState: kind === SOCKET_KIND.ended ? 9 : 3,
    flags: SOCKET_FLAG.passive | SOCKET_FLAG.hasTcp | SOCKET_FLAG.messagesCounted,
    timeNs: nowMs * MS,
    cookie: index + 1,
    netns: NETNS,
    localAddress: '192.0.2.1',
    localPort: 443,
    remoteAddress: peer.address,
    remotePort: peer.port,
    firstNs: nowMs * MS,
    lastNs: nowMs * MS,
    moverPid: SERVER_PID,
    moverStartNs: SERVER_PID * MS,
    bytesSent: 1500,
    bytesReceived: 300,
    segmentsOut: 5,
    segmentsIn: 6,
    headerBytes: 32,
    rttUs: 120,
    minRttUs: 80,
  };
}

function opened(index: number, kind: number, nowMs: number): SocketRow {
  const peer = peerOf(index);
  return {
    ...accepted(index, kind, nowMs),
    cookie: 1e9 + index,
    flags: SOCKET_FLAG.hasTcp | SOCKET_FLAG.messagesCounted,
    localAddress: peer.address,
    localPort: peer.port,
    remoteAddress: '192.0.2.1',
    remotePort: 443,
    openerPid: CLIENT_PID,
    openerStartNs: CLIENT_PID * MS,
    moverPid: CLIENT_PID,
    moverStartNs: CLIENT_PID * MS,
    bytesSent: 300,
    bytesReceived: 1500,
  };
}

function traffic(
  cookie: number,
  pid: number,
  sentBytes: number,
  receivedBytes: number,
  nowMs: number,
  final: boolean,
): WrittenRow<'traffic'> {
  return {
    flags: final ? TRAFFIC_FLAG.final : 0,
    timeNs: nowMs * MS,
    cookie,
    pid,
    startNs: pid * MS,
    firstNs: nowMs * MS,
    lastNs: nowMs * MS,
    sentBytes,
    sentMessages: 1,
    receivedBytes,
    receivedMessages: 1,
  };
}

/** What a process has spent when it begins or ends to use a socket: more each time. */
function usage(kind: number, cookie: number, pid: number, index: number, nowMs: number): WrittenRow<'usage'> {
  return {
    kind,
    flags: USAGE_FLAG.ioWait | USAGE_FLAG.memory | USAGE_FLAG.peak,
    timeNs: nowMs * MS + index,
    cookie,
    pid,
    startNs: pid * MS,
    threads: 4,
    cpuNs: 60e9 + index * 20_000,
    userNs: 40e9 + index * 12_000,
    systemNs: 20e9 + index * 8000,
    memoryBytes: 40e6,
    peakMemoryBytes: 41e6,
    minorFaults: 12_000 + index,
    majorFaults: 17,
    ioWaitNs: 3e9,
    readBytes: 80e6,
    writtenBytes: 90e6 + index * 4096,
    voluntarySwitches: 500_000 + index,
    involuntarySwitches: 9000,
  };
}

/** Flows `from` up to `to` open and move bytes. With `bothEnds` the client is on this host, too. */
export function openBatch(from: number, to: number, nowMs: number, bothEnds = false): ArrayBuffer {
  const writer = new BatchWriter();
  for (let index = from; index < to; index++) {
    if (bothEnds) {
      writer.add('socket', opened(index, SOCKET_KIND.opened, nowMs));
      writer.add('traffic', traffic(1e9 + index, CLIENT_PID, 300, 1500, nowMs, false));
      writer.add('usage', usage(USAGE_KIND.began, 1e9 + index, CLIENT_PID, index, nowMs));
    }
    writer.add('socket', accepted(index, SOCKET_KIND.opened, nowMs));
    writer.add('traffic', traffic(index + 1, SERVER_PID, 1500, 300, nowMs, false));
    writer.add('usage', usage(USAGE_KIND.began, index + 1, SERVER_PID, index, nowMs));
  }
  return writer.seal(nowMs * MS, 1.7e18);
}

/** The same flows end. */
export function endBatch(from: number, to: number, nowMs: number, bothEnds = false): ArrayBuffer {
  const writer = new BatchWriter();
  for (let index = from; index < to; index++) {
    if (bothEnds) {
      writer.add('socket', opened(index, SOCKET_KIND.ended, nowMs));
      writer.add('traffic', traffic(1e9 + index, CLIENT_PID, 300, 1500, nowMs, true));
      writer.add('usage', usage(USAGE_KIND.ended, 1e9 + index, CLIENT_PID, index + 50, nowMs));
    }
    writer.add('socket', accepted(index, SOCKET_KIND.ended, nowMs));
    writer.add('traffic', traffic(index + 1, SERVER_PID, 1500, 300, nowMs, true));
    writer.add('usage', usage(USAGE_KIND.ended, index + 1, SERVER_PID, index + 50, nowMs));
  }
  return writer.seal(nowMs * MS, 1.7e18);
}

export function applyNow(correlator: Correlator, buffer: ArrayBuffer): Batch {
  const batch = decodeBatch(buffer);
  correlator.apply(batch);
  correlator.flush();
  return batch;
}
