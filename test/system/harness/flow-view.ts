/** What the tests read of a flow, and how it compares with what the generators say they moved. */
import assert from 'node:assert/strict';
import type { Agent } from './agent.js';
import { eventually } from './eventually.js';
import type { Generator, Report, SocketReport } from './generator.js';

export interface TrafficView {
  readonly octets: number | null;
  readonly packets: number | null;
  readonly payloadBytes: number | null;
  readonly messages: number | null;
  readonly octetsDerived: boolean;
}

export interface ProcessView {
  readonly pid: number;
  readonly name: string;
}

export interface EndpointView {
  readonly address: string;
  readonly port: number | null;
  readonly local: boolean;
  readonly process: ProcessView | null;
  readonly processes: readonly {
    readonly process: ProcessView;
    readonly sentPayloadBytes: number;
    readonly receivedPayloadBytes: number;
  }[];
  readonly creator: ProcessView | null;
  readonly user: { readonly uid: number; readonly name: string } | null;
  readonly sent: TrafficView;
}

export interface FlowView {
  readonly id: string;
  readonly communityId: string | null;
  readonly protocol: string;
  readonly protocolNumber: number;
  readonly ipVersion: number | null;
  readonly direction: string;
  readonly state: string;
  readonly startTime: string;
  readonly endTime: string | null;
  readonly endReason: string | null;
  readonly startedBefore: boolean;
  readonly notes: readonly { readonly code: string }[];
  readonly client: EndpointView;
  readonly server: EndpointView;
}

const END_FIELDS = `address port local process { pid name } creator { pid name } user { uid name }
  processes { process { pid name } sentPayloadBytes receivedPayloadBytes }
  sent { octets packets payloadBytes messages octetsDerived }`;

export const FLOW_FIELDS = `id communityId protocol protocolNumber ipVersion direction state startTime endTime endReason
  startedBefore notes { code } client { ${END_FIELDS} } server { ${END_FIELDS} }`;

type Shares = Record<number, { readonly sent: number; readonly received: number }>;

/** One end of a conversation as the generators know it. */
export interface End {
  readonly address: string;
  /** 0 when it is not known, or the protocol has none. */
  readonly port: number;
  /** The processes that moved bytes, by pid. */
  readonly shares: Shares;
}

export interface Conversation {
  readonly protocol: string;
  readonly client: End;
  readonly server: End;
}

/** The report's sockets, those of one conversation together. */
export function conversations(report: Report): Conversation[] {
  const byTuple = new Map<string, { protocol: string; client: MutableEnd; server: MutableEnd }>();
  for (const socket of report.sockets) {
    const near = { address: socket.local, port: socket.localPort };
    const far = { address: socket.remote, port: socket.remotePort };
    const [client, server] = socket.side === 'client' ? [near, far] : [far, near];
    const key = `${socket.protocol} ${client.address} ${client.port} ${server.address} ${server.port}`;
    const conversation = byTuple.get(key) ?? {
      protocol: socket.protocol,
      client: { ...client, shares: {} },
      server: { ...server, shares: {} },
    };
    byTuple.set(key, conversation);
    addShare(conversation[socket.side].shares, socket);
  }
  return [...byTuple.values()];
}

type MutableEnd = { -readonly [K in keyof End]: End[K] };

function addShare(shares: Shares, { pid, sent, received }: SocketReport): void {
  if (sent === 0 && received === 0) return;
  const share = shares[pid] ?? { sent: 0, received: 0 };
  shares[pid] = { sent: share.sent + sent, received: share.received + received };
}

/** The flow's shares as the generators would put them. */
export function sharesOf({ processes }: EndpointView): Shares {
  return Object.fromEntries(
    processes.map(({ process, sentPayloadBytes, receivedPayloadBytes }) => [
      process.pid,
      { sent: sentPayloadBytes, received: receivedPayloadBytes },
    ]),
  );
}

export function sentBy(end: End): number {
  return Object.values(end.shares).reduce((sum, { sent }) => sum + sent, 0);
}

/** What a socket says of its address when it has none any more. */
const UNSPECIFIED = new Set(['0.0.0.0', '::']);

/** The flows of a generator's conversation; one, when all is well. */
export function flowsOf(
  agent: Agent,
  { protocol, client, server }: Conversation,
  since: Date | null,
): Promise<FlowView[]> {
  return agent.flows({
    protocol: [protocol],
    ...(UNSPECIFIED.has(client.address) ? {} : { clientAddress: { in: [client.address] } }),
    serverAddress: { in: [server.address] },
    ...(client.port === 0 ? {} : { clientPort: { eq: client.port } }),
    ...(server.port === 0 ? {} : { serverPort: { eq: server.port } }),
    // Ports are used again; a flow that was there before this generator is another one.
    ...(since === null ? {} : { startTime: { gte: new Date(since.getTime() - 1000).toISOString() } }),
  });
}

export interface Wanted {
  readonly state?: string;
  readonly endReason?: string;
  /** Both ends are processes of this host, and known. */
  readonly bothEnds?: boolean;
  readonly startedBefore?: boolean;
}

/** Waits until the agent shows each conversation of the report as one flow with exactly what was moved, and gives them. */
export async function assertShown(
  agent: Agent,
  generator: Generator,
  report: Report,
  wanted: Wanted = {},
): Promise<FlowView[]> {
  const shown: FlowView[] = [];
  for (const conversation of conversations(report)) {
    shown.push(
      await eventually(async () => {
        const since = wanted.startedBefore === true ? null : generator.startedAt;
        const found = await flowsOf(agent, conversation, since);
        assert.equal(found.length, 1, `flows of ${JSON.stringify(conversation)}: ${JSON.stringify(found)}`);
        const [flow] = found;
        assert.ok(flow);
        assertSame(flow, conversation, wanted);
        return flow;
      }),
    );
  }
  return shown;
}

function assertSame(flow: FlowView, { client, server }: Conversation, wanted: Wanted): void {
  const ends = [
    ['client', client, flow.client],
    ['server', server, flow.server],
  ] as const;
  const expected: Record<string, unknown> = {};
  const actual: Record<string, unknown> = {};
  for (const [side, end, view] of ends) {
    expected[side] = { shares: end.shares, sent: sentBy(end) };
    actual[side] = { shares: sharesOf(view), sent: view.sent.payloadBytes };
  }
  for (const key of ['state', 'endReason', 'startedBefore'] as const) {
    if (wanted[key] === undefined) continue;
    expected[key] = wanted[key];
    actual[key] = flow[key];
  }
  assert.deepEqual(actual, expected, `flow ${flow.id}`);
  for (const [side, end, view] of ends) {
    const pids = Object.keys(end.shares).map(Number);
    if (pids.length === 0) continue;
    assert.ok(view.local, `the ${side} is local`);
    assert.ok(
      pids.includes(view.process?.pid ?? 0),
      `the ${side}'s process ${view.process?.pid ?? 'null'} is one of ${pids.join(', ')}`,
    );
  }
}
