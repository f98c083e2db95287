/** What goes over the network. */
export class Movement {
  /** Octets and packets at the IP layer. */
  sentOctets = 0;
  receivedOctets = 0;
  sentPackets = 0;
  receivedPackets = 0;

  add(other: Readonly<Omit<Movement, 'add'>>): void {
    this.sentOctets += other.sentOctets;
    this.receivedOctets += other.receivedOctets;
    this.sentPackets += other.sentPackets;
    this.receivedPackets += other.receivedPackets;
  }
}
