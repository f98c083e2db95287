/** Flows: live ones, and those that ended a short while ago. */
import { Fifo } from './collections.js';
import { HashIndex, hashTuple, MANY, mixed } from './hash-index.js';
import type { IdMaker } from './ids.js';
import { Flow, type FlowEndReason, type FlowName, type Process, type ProcessShare, type Protocol } from './model.js';
import type { ProcessTable } from './process-table.js';

export interface FlowLimits {
  readonly idleTimeoutMs: number;
  /** A flow that lasts is told of at least this often, though nothing moves on it; never when left out. */
  readonly activeTimeoutMs?: number;
  readonly keepEndedMs: number;
  readonly keepEndedMax: number;
  readonly maxLive: number;
}

export type FlowEvent = 'STARTED' | 'UPDATED' | 'ENDED';

class FlowsByName extends HashIndex<FlowName, Flow> {
  protected override keyOf(flow: Flow): FlowName {
    return flow.name;
  }
  protected override matches({ name }: Flow, { cookie, peer, salt }: FlowName): boolean {
    if (name.cookie !== cookie || name.salt !== salt) return false;
    return name.peer?.port === peer?.port && name.peer?.address === peer?.address;
  }
  protected override hashOf({ cookie, peer, salt }: FlowName): number {
    return peer === null ? cookie ^ salt : mixed(cookie ^ salt ^ hashTuple(0, 0, peer.port, peer.address));
  }
}

export class FlowTable {
  private readonly byName = new FlowsByName(MANY);
  private readonly ended = new Fifo<Flow>();
  /** When each of them was published as ended: an idle flow's own end is long past by then. */
  private readonly endedAt = new Fifo<number>();
  /** Made and not ended, published or not. */
  private liveCount = 0;
  private sequence = 0;
  private startedCount = 0;
  private endedCount = 0;
  private refusedCount = 0;
  private evictedCount = 0;
  /** Told of each flow that is forgotten. */
  forgotten: (flow: Flow) => void = () => undefined;

  constructor(
    private readonly limits: FlowLimits,
    private readonly ids: IdMaker,
    private readonly processes: ProcessTable,
    private readonly emit: (event: FlowEvent, flow: Flow) => void,
    /** A flow is forgotten, and this share of it. */
    private readonly forgetShare: (share: ProcessShare) => void,
  ) {}

  all(): Iterable<Flow> {
    return this.byName.values();
  }

  get(id: string): Flow | undefined {
    const name = this.ids.flowOf(id);
    return name === null ? undefined : this.byName.get(name);
  }

  /** Whether a flow of this name was published and is remembered. */
  has(name: FlowName): boolean {
    return this.byName.get(name) !== undefined;
  }

  get live(): number {
    return this.liveCount;
  }

  /** Ended and still remembered. */
  get remembered(): number {
    return this.ended.size;
  }

  get started(): number {
    return this.startedCount;
  }

  get endedInAll(): number {
    return this.endedCount;
  }

  /** Flows that found the table full. */
  get refused(): number {
    return this.refusedCount;
  }

  /** Ended flows that were forgotten before their time, for want of room. */
  get evicted(): number {
    return this.evictedCount;
  }

  get hasRoom(): boolean {
    return this.liveCount < this.limits.maxLive;
  }

  refuse(): void {
    this.refusedCount++;
  }

  create(name: FlowName, protocol: Protocol, protocolNumber: number, ipVersion: 4 | 6 | null): Flow {
    this.liveCount++;
    return new Flow(name, this.sequence++, protocol, protocolNumber, ipVersion);
  }

  /** Ends a flow; it is published with the next {@link publish}. */
  end(flow: Flow, reason: FlowEndReason, micros: number): void {
    if (flow.state === 'ENDED') return;
    flow.state = 'ENDED';
    flow.endReason = reason;
    flow.endMicros = Math.max(micros, flow.lastMicros);
    this.liveCount--;
    if (flow.client.process !== null) flow.client.process.connections--;
    if (flow.server.process !== null) flow.server.process.connections--;
  }

  /** Tells of a flow that is complete so far, in the order of its life. */
  publish(flow: Flow, revision: number, nowMicros: number): void {
    if (flow.revision === revision) return;
    const isNew = flow.revision === 0;
    flow.revision = revision;
    if (isNew) {
      this.byName.set(flow);
      this.startedCount++;
      this.emit('STARTED', flow);
    }
    if (flow.state === 'ENDED') {
      this.endedCount++;
      this.ended.push(flow);
      this.endedAt.push(nowMicros);
      this.emit('ENDED', flow);
    } else if (!isNew) this.emit('UPDATED', flow);
  }

  /** Forgets ended flows whose time is over. */
  retain(nowMicros: number): void {
    const oldest = nowMicros - this.limits.keepEndedMs * 1000;
    for (let next = this.ended.peek(); next !== undefined; next = this.ended.peek()) {
      const isYoung = (this.endedAt.peek() ?? 0) > oldest;
      if (this.ended.size <= this.limits.keepEndedMax && isYoung) break;
      if (isYoung) this.evictedCount++;
      this.ended.shift();
      this.endedAt.shift();
      this.byName.delete(next.name);
      this.forgotten(next);
      this.unlink(next);
    }
  }

  /** Nobody has had a part in the flow any more. */
  private unlink(flow: Flow): void {
    for (const { process, creator, shares } of [flow.client, flow.server]) {
      if (process !== null) this.release(flow, process);
      if (creator !== null && creator !== process) this.release(flow, creator);
      for (const share of shares) {
        this.forgetShare(share);
        if (share.process !== process) this.release(flow, share.process);
      }
    }
  }

  private release(flow: Flow, process: Process): void {
    if (process.flows.delete(flow)) this.processes.released(process);
  }
}
