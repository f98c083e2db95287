/** Numbers that a flow or endpoint has by computation; null as long as any that could make them is unknown. */
import type { LiveState } from '../../correlate/live-state.js';
import type { Endpoint, Flow, Process } from '../../correlate/model.js';

/** What queries need of the live state besides the rows. */
export type Names = Pick<LiveState, 'user' | 'notesOf' | 'totalUsage' | 'currentUsage' | 'group'>;

/** The sum of what is known of two; null when neither is. */
export function knownSum(a: number | null, b: number | null): number | null {
  if (a === null) return b;
  return b === null ? a : a + b;
}

export function flowOctets(flow: Flow): number | null {
  return knownSum(flow.client.sent.octets, flow.server.sent.octets);
}

export function flowPackets(flow: Flow): number | null {
  return knownSum(flow.client.sent.packets, flow.server.sent.packets);
}

export function flowPayloadBytes(flow: Flow): number | null {
  return knownSum(flow.client.sent.payloadBytes, flow.server.sent.payloadBytes);
}

export function flowRetransmittedPackets(flow: Flow): number | null {
  return knownSum(flow.client.sent.retransmittedPackets, flow.server.sent.retransmittedPackets);
}

/** From the start to the end, or to the last packet while it lasts. */
export function flowDurationMs(flow: Flow): number {
  return Math.max(0, (flow.endMicros ?? flow.lastMicros) - flow.startMicros) / 1000;
}

/** The process whose user, container and unit stand for the endpoint. */
export function ownerOf(endpoint: Endpoint): Process | null {
  return endpoint.process ?? endpoint.creator;
}

/** Whether a process at either end satisfies the test: who moved bytes last, everyone that moved bytes, who made the socket. */
export function eitherEnd(flow: Flow, test: (process: Process) => boolean): boolean {
  return endHas(flow.client, test) || endHas(flow.server, test);
}

function endHas(endpoint: Endpoint, test: (process: Process) => boolean): boolean {
  const { process, creator, shares } = endpoint;
  if (process !== null && test(process)) return true;
  if (creator !== null && creator !== process && test(creator)) return true;
  for (const share of shares) if (share.process !== process && share.hasMoved && test(share.process)) return true;
  return false;
}

const joined = new WeakMap<readonly string[], string>();

/** Arguments joined by blanks, as ps(1) shows them. */
export function commandLineOf(args: readonly string[] | null): string | null {
  if (args === null) return null;
  let line = joined.get(args);
  if (line === undefined) {
    line = args.join(' ');
    joined.set(args, line);
  }
  return line;
}
