/** What was sent to a collector and what was not, since the start. */
import type { NotSent, Totals } from './options.js';
import type { Contents } from './transport/transport.js';

export class Ledger {
  private sent = { messages: 0, octets: 0, flowRecords: 0 };
  private missed = { flows: 0, packets: 0, octets: 0, firstMs: 0, lastMs: 0 };

  constructor(private readonly nowMs: () => number) {}

  get totals(): Totals {
    return this.sent;
  }

  get notSent(): NotSent {
    return this.missed;
  }

  send({ flows, length }: Contents): void {
    this.sent.messages++;
    this.sent.octets += length;
    this.sent.flowRecords += flows;
  }

  /** A message that was counted as sent was not. */
  unsend(contents: Contents): void {
    this.sent.messages--;
    this.sent.octets -= contents.length;
    this.sent.flowRecords -= contents.flows;
    this.miss(contents.flows, contents.packets, contents.octets);
  }

  miss(flows: number, packets: number, octets: number): void {
    if (flows === 0) return;
    const { missed } = this;
    missed.lastMs = this.nowMs();
    if (missed.flows === 0) missed.firstMs = missed.lastMs;
    missed.flows += flows;
    missed.packets += packets;
    missed.octets += octets;
  }
}
