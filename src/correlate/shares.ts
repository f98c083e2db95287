/** Who moved how much on an endpoint. */
import type { CountedShare } from './halves.js';
import type { Endpoint, Flow, Process } from './model.js';

/** The share of a process on an endpoint; made when it has none. */
export function shareOf<S extends CountedShare>(
  flow: Flow,
  endpoint: Endpoint,
  process: Process,
  Share: new (process: Process) => S,
): S {
  for (const share of endpoint.shares) if (share.process === process) return share as S;
  const share = new Share(process);
  // A list of its own exact length: most endpoints have one share, and a growing list keeps room for many.
  endpoint.shares = endpoint.shares.length === 0 ? [share] : [...endpoint.shares, share];
  process.flows.add(flow);
  return share;
}

export function sumShares(endpoint: Endpoint): { sentBytes: number; sentMessages: number; receivedBytes: number } {
  let sentBytes = 0;
  let sentMessages = 0;
  let receivedBytes = 0;
  for (const share of endpoint.shares) {
    sentBytes += share.sentPayloadBytes;
    sentMessages += share.sentMessages;
    receivedBytes += share.receivedPayloadBytes;
  }
  return { sentBytes, sentMessages, receivedBytes };
}
