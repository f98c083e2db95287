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
  const known = endpoint.shareOf(process);
  // All shares of an endpoint are of one class, the one that its protocol counts with.
  if (known !== undefined) return known as S;
  const share = new Share(process);
  endpoint.shares = [...endpoint.shares, share];
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
