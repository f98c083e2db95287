/** Who moved how much on an endpoint of a connection. */
import { CountedShare } from './halves.js';
import { enlist } from './owners.js';
import type { Endpoint, Flow, Process, ProcessShare } from './model.js';

/** The share of a process on an endpoint; made when it has none. */
export function shareOf(flow: Flow, endpoint: Endpoint, process: Process): CountedShare {
  const known = endpoint.shareOf(process);
  if (known instanceof CountedShare) return known;
  const share = new CountedShare(process);
  enlist(flow, process);
  endpoint.addShare(share);
  return share;
}

/** Sums over all shares of an endpoint. */
export class ShareSums {
  sentBytes = 0;
  sentMessages = 0;
  receivedBytes = 0;

  /** Begins anew with this endpoint: one object serves all flows, one after the other. */
  over(endpoint: Endpoint): this {
    this.sentBytes = 0;
    this.sentMessages = 0;
    this.receivedBytes = 0;
    const only = endpoint.onlyShare;
    if (only !== null) this.add(only);
    else for (const share of endpoint.shares) this.add(share);
    return this;
  }

  private add(share: ProcessShare): void {
    this.sentBytes += share.sentPayloadBytes;
    this.sentMessages += share.sentMessages;
    this.receivedBytes += share.receivedPayloadBytes;
  }
}
