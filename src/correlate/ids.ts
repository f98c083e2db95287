/**
 * Ids of processes and flows: opaque text, the same after a restart of the agent, different on every host and boot.
 * They are made of what identifies the thing itself, so that nothing has to be remembered for them, and can be read back.
 */
import { createHash } from 'node:crypto';
import { addressBytes, addressText } from '../capture/address.js';
import type { FlowName } from './model.js';

const HOST_KEY_BYTES = 8;
const COOKIE_BYTES = 6;
const ADDRESS_BYTES = 16;
const PEER_BYTES = ADDRESS_BYTES + 2;
const SALT_BYTES = 8;
/** How many cookies an id can tell apart. */
const COOKIES = 2 ** (8 * COOKIE_BYTES);

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

  /** Names a flow; see there for what its parts mean. */
  flow(cookie: number, peer: FlowName['peer'], salt: number): FlowName {
    // As much of the cookie as an id holds, so that names differ when their ids do.
    return new LazyFlowName(this, cookie < COOKIES ? cookie : cookie % COOKIES, peer, salt);
  }

  /** What a flow's id was made of; null when it is none of this host and boot. */
  flowOf(id: string): FlowName | null {
    if (!id.startsWith('f_')) return null;
    const bytes = Buffer.from(id.slice(2), 'base64url');
    const rest = bytes.length - HOST_KEY_BYTES - COOKIE_BYTES;
    const hasPeer = rest >= PEER_BYTES;
    const hasSalt = rest === (hasPeer ? PEER_BYTES : 0) + SALT_BYTES;
    if (rest < 0) return null;
    const cookie = bytes.readUIntLE(HOST_KEY_BYTES, COOKIE_BYTES);
    const peer = hasPeer ? peerAt(bytes, HOST_KEY_BYTES + COOKIE_BYTES) : null;
    const name = this.flow(cookie, peer, hasSalt ? bytes.readDoubleLE(bytes.length - SALT_BYTES) : 0);
    return name.id === id ? name : null;
  }

  flowText({ cookie, peer, salt }: FlowName): string {
    let end = this.bytes.writeUIntLE(cookie, HOST_KEY_BYTES, COOKIE_BYTES);
    if (peer !== null) {
      this.bytes.set(addressBytes(peer.address), end);
      end = this.bytes.writeUInt16LE(peer.port, end + ADDRESS_BYTES);
    }
    if (salt !== 0) end = this.bytes.writeDoubleLE(salt, end);
    return `f_${this.text(end)}`;
  }

  private text(end: number): string {
    return this.bytes.toString('base64url', 0, end);
  }
}

/** Makes its text when it is first read. */
class LazyFlowName implements FlowName {
  private text: string | null = null;

  constructor(
    private readonly ids: IdMaker,
    readonly cookie: number,
    readonly peer: FlowName['peer'],
    readonly salt: number,
  ) {}

  get id(): string {
    return (this.text ??= this.ids.flowText(this));
  }
}

function peerAt(bytes: Buffer, offset: number): FlowName['peer'] {
  const end = offset + ADDRESS_BYTES;
  return { address: addressText(bytes.subarray(offset, end)), port: bytes.readUInt16LE(end) };
}
