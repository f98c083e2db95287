/** Which process moved how much over the network: taken from the counters of flows as they advance. */
import type { BootClock } from './clock.js';
import type { Endpoint, Flow, Process } from './model.js';
import { Meter } from './meter.js';
import { Movement } from './movement.js';
import { NOTE } from './owners.js';
import type { Recorder } from './series/recorder.js';
import { otherEnd } from './tuples.js';

/**
 * Counters of sockets are read at their ends and by polls. What a batch brings is added up by process when all of it was
 * applied, since only then it is known who moved it.
 */
export class Movements {
  /** What endpoints have sent more than before: parallel lists, so that nothing is made for each of a million rows. */
  private readonly flows: Flow[] = [];
  private readonly endpoints: Endpoint[] = [];
  private readonly octets: number[] = [];
  private readonly packets: number[] = [];
  private readonly moving = new Map<Process | null, Movement>();
  private lastProcess: Process | null = null;
  private lastMovement: Movement | undefined;
  private fromMicros = Infinity;

  constructor(
    private readonly clock: BootClock,
    private readonly recorder: Recorder,
    /** What a counter shows was moved since it was read before; so far back at most. */
    private readonly pollMicros: number,
  ) {}

  /** Takes over what an endpoint has sent since the flow's start; null octets are not known. */
  count(flow: Flow, endpoint: Endpoint, octets: number | null, packets: number): void {
    const { sent } = endpoint;
    // What a flow from before the agent has moved until now was not moved now.
    const isNews = sent.packets !== null || !flow.startedBefore || (flow.noteBits & NOTE.countersSinceAgentStart) !== 0;
    const moreOctets = Math.max(0, (octets ?? 0) - (sent.octets ?? 0));
    const morePackets = Math.max(0, packets - (sent.packets ?? 0));
    sent.octets = octets;
    sent.packets = packets;
    if (!isNews || moreOctets + morePackets === 0) return;
    this.flows.push(flow);
    this.endpoints.push(endpoint);
    this.octets.push(moreOctets);
    this.packets.push(morePackets);
  }

  /** Records all that was counted since the last time. */
  settle(): void {
    const { flows, endpoints, octets, packets } = this;
    if (flows.length === 0) return;
    const now = this.clock.nowMicros;
    this.fromMicros = now;
    flows.forEach((flow, i) => {
      this.attribute(flow, endpoints[i] as Endpoint, octets[i] as number, packets[i] as number);
    });
    flows.length = endpoints.length = octets.length = packets.length = 0;
    for (const [process, movement] of this.moving) {
      if (process !== null) (process.meter ??= new Meter()).moved.add(movement);
      this.recorder.moved(process, movement, this.fromMicros, now);
    }
    this.moving.clear();
    this.lastMovement = undefined;
  }

  private attribute(flow: Flow, endpoint: Endpoint, octets: number, packets: number): void {
    const polledMicros = this.clock.nowMicros - this.pollMicros;
    this.fromMicros = Math.min(this.fromMicros, Math.max(flow.startMicros, polledMicros));
    const across = otherEnd(flow, endpoint);
    if (endpoint.local) this.give(endpoint, 'sent', octets, packets);
    if (across.local) this.give(across, 'received', octets, packets);
  }

  /** Octets are counted by socket: of several processes each gets its part by the payload it moved. */
  private give(endpoint: Endpoint, way: 'sent' | 'received', octets: number, packets: number): void {
    const payload = way === 'sent' ? 'sentPayloadBytes' : 'receivedPayloadBytes';
    const { shares } = endpoint;
    let total = 0;
    if (endpoint.onlyShare === null) for (const share of shares) total += share[payload];
    if (total === 0) {
      this.add(endpoint.process, way, octets, packets);
      return;
    }
    let sum = 0;
    let octetsGiven = 0;
    let packetsGiven = 0;
    for (const share of shares) {
      sum += share[payload];
      const octetsUpTo = Math.round((octets * sum) / total);
      const packetsUpTo = Math.round((packets * sum) / total);
      this.add(share.process, way, octetsUpTo - octetsGiven, packetsUpTo - packetsGiven);
      octetsGiven = octetsUpTo;
      packetsGiven = packetsUpTo;
    }
  }

  private add(process: Process | null, way: 'sent' | 'received', octets: number, packets: number): void {
    // One after the other often belongs to the same process.
    let movement = process === this.lastProcess ? this.lastMovement : undefined;
    if (movement === undefined) {
      movement = this.moving.get(process);
      if (movement === undefined) this.moving.set(process, (movement = new Movement()));
      this.lastProcess = process;
      this.lastMovement = movement;
    }
    if (way === 'sent') {
      movement.sentOctets += octets;
      movement.sentPackets += packets;
    } else {
      movement.receivedOctets += octets;
      movement.receivedPackets += packets;
    }
  }
}
