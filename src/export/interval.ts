/** What was metered of a flow from one report to the next. */
import type { Flow } from '../correlate/index.js';

/** flowEndReason (RFC 5102). */
export const END_REASON = { idle: 1, active: 2, endOfFlow: 3, forced: 4, lackOfResources: 5 } as const;
export type EndReason = (typeof END_REASON)[keyof typeof END_REASON];

/** What one end sent in an interval. NaN is unknown. */
export class Sent {
  octets = NaN;
  packets = NaN;
  payloadBytes = NaN;
  retransmitted = NaN;

  /** Whether it is known to have sent something. */
  get isSome(): boolean {
    return this.packets > 0 || this.octets > 0 || this.payloadBytes > 0;
  }

  get isUnknown(): boolean {
    return Number.isNaN(this.packets) && Number.isNaN(this.octets) && Number.isNaN(this.payloadBytes);
  }
}

/** Reused: read what is needed at once. */
export class Interval {
  startMicros = 0;
  endMicros = 0;
  reason: EndReason = END_REASON.active;
  readonly client = new Sent();
  readonly server = new Sent();

  constructor(public flow: Flow) {}
}
