/**
 * Ids of processes and flows: opaque text, the same after a restart of the agent, different on every host and boot.
 * They are made of what identifies the thing itself, so that nothing has to be remembered for them.
 */
import { createHash } from 'node:crypto';
import { addressBytes } from '../capture/address.js';

const HOST_KEY_BYTES = 8;

export class IdMaker {
  private readonly bytes = Buffer.alloc(64);

  constructor(hostId: string, bootId: string) {
    createHash('sha256').update(`${hostId}\0${bootId}`).digest().copy(this.bytes, 0, 0, HOST_KEY_BYTES);
  }

  /** A process is its pid and start on this boot. */
  process(pid: number, startNs: number): string {
    this.bytes.writeUInt32LE(pid, HOST_KEY_BYTES);
    this.bytes.writeDoubleLE(startNs, HOST_KEY_BYTES + 4);
    return `p_${this.text(HOST_KEY_BYTES + 12)}`;
  }

  /**
   * A flow is the socket that opened it. `salt` tells a later life on the same socket from the first (0): when a
   * connection is tried again.
   */
  streamFlow(cookie: number, salt: number): string {
    const end = this.putCookie(cookie);
    return `f_${this.text(salt === 0 ? end : this.putSalt(end, salt))}`;
  }

  /** Without connections a flow is the socket and the peer; `salt` as in {@link streamFlow}, when it resumed after idle. */
  datagramFlow(cookie: number, peerAddress: string, peerPort: number, salt: number): string {
    let end = this.putCookie(cookie);
    const peer = addressBytes(peerAddress);
    this.bytes.set(peer, end);
    end = this.bytes.writeUInt16LE(peerPort, end + peer.length);
    return `f_${this.text(salt === 0 ? end : this.putSalt(end, salt))}`;
  }

  private putCookie(cookie: number): number {
    this.bytes.writeUInt32LE(cookie % 0x1_0000_0000, HOST_KEY_BYTES);
    return this.bytes.writeUInt16LE(Math.floor(cookie / 0x1_0000_0000) % 0x1_0000, HOST_KEY_BYTES + 4);
  }

  private putSalt(offset: number, salt: number): number {
    return this.bytes.writeDoubleLE(salt, offset);
  }

  private text(end: number): string {
    return this.bytes.toString('base64url', 0, end);
  }
}
