/** A row of the traffic table, copied: it can wait for its socket's row without keeping the whole batch. */
import { isMapped, isUnspecified, type AddressTexts } from '../capture/address.js';
import type { Batch } from '../capture/batch.js';
import { Counters } from './halves.js';

export class TrafficRow extends Counters {
  flags = 0;
  timeNs = 0;
  cookie = 0;
  pid = 0;
  startNs = 0;
  /** Effective uid of the process at its first message here. */
  uid = 0;
  /** Null when unspecified. */
  localAddress: string | null = null;
  peerAddress: string | null = null;
  peerPort = 0;
  firstNs = 0;
  lastNs = 0;

  /** Takes over row `row`. */
  read(batch: Batch, row: number, texts: AddressTexts): this {
    const table = batch.traffic;
    this.flags = table.flags[row] as number;
    this.timeNs = table.timeNs[row] as number;
    this.cookie = table.cookie[row] as number;
    this.pid = table.pid[row] as number;
    this.startNs = table.startNs[row] as number;
    this.uid = table.uid[row] as number;
    this.localAddress = isUnspecified(table.localAddress, row) ? null : texts.at(table.localAddress, row);
    this.peerAddress = isUnspecified(table.peerAddress, row) ? null : texts.at(table.peerAddress, row);
    this.peerPort = table.peerPort[row] as number;
    this.firstNs = table.firstNs[row] as number;
    this.lastNs = table.lastNs[row] as number;
    this.sentBytes = table.sentBytes[row] as number;
    this.sentMessages = table.sentMessages[row] as number;
    this.sentOctets = table.sentOctets[row] as number;
    this.sentPackets = table.sentPackets[row] as number;
    this.receivedBytes = table.receivedBytes[row] as number;
    this.receivedMessages = table.receivedMessages[row] as number;
    this.receivedOctets = table.receivedOctets[row] as number;
    this.receivedPackets = table.receivedPackets[row] as number;
    return this;
  }

  copy(): TrafficRow {
    return Object.assign(new TrafficRow(), this);
  }
}

/** An address column's text, or null when it is unspecified. */
export function addressOrNull(column: Uint32Array, row: number, texts: AddressTexts): string | null {
  return isUnspecified(column, row) ? null : texts.at(column, row);
}

/** The IP version of a socket: mapped addresses on an IPv6 socket are IPv4. */
export function ipVersionOf(family: number, local: Uint32Array, remote: Uint32Array, row: number): 4 | 6 {
  return family === 2 || isMapped(remote, row) || isMapped(local, row) ? 4 : 6;
}
