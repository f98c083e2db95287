/** Network namespaces and their addresses: which address is on this host, as seen from a socket. */
import { isLoopbackText, type AddressTexts } from '../capture/address.js';
import type { Batch } from '../capture/batch.js';

export class Namespace {
  /** Address → indexes of the interfaces that have it. */
  readonly addresses = new Map<string, Set<number>>();
  readonly interfaces = new Map<number, string>();

  constructor(readonly inode: number) {}

  /** Whether an address is one of this namespace's own. */
  isLocal(address: string): boolean {
    return isLoopbackText(address) || this.addresses.has(address);
  }
}

const NONE: ReadonlySet<Namespace> = new Set();

export class NamespaceTable {
  private readonly byInode = new Map<number, Namespace>();
  /** Namespaces that have an address, loopback left out: every namespace has that. */
  private readonly byAddress = new Map<string, Set<Namespace>>();

  constructor(private readonly texts: AddressTexts) {}

  get(inode: number): Namespace {
    const known = this.byInode.get(inode);
    if (known !== undefined) return known;
    const added = new Namespace(inode);
    this.byInode.set(inode, added);
    return added;
  }

  /** The namespaces that have an address; none for loopback, that is not reached from another one. */
  having(address: string): ReadonlySet<Namespace> {
    return this.byAddress.get(address) ?? NONE;
  }

  /** True when the namespace has an address that it had not before. */
  apply(batch: Batch, row: number): boolean {
    const table = batch.address;
    const namespace = this.get(table.netns[row] as number);
    const index = table.interfaceIndex[row] as number;
    const address = this.texts.at(table.address, row);
    if (table.removed[row] === 1) {
      const interfaces = namespace.addresses.get(address);
      interfaces?.delete(index);
      if (interfaces?.size === 0) this.lose(namespace, address);
      return false;
    }
    const name = batch.text(table.interfaceName[row] as number);
    if (name !== null) namespace.interfaces.set(index, name);
    const interfaces = namespace.addresses.get(address);
    interfaces?.add(index);
    if (interfaces === undefined) this.gain(namespace, address, index);
    return interfaces === undefined;
  }

  private gain(namespace: Namespace, address: string, index: number): void {
    namespace.addresses.set(address, new Set([index]));
    if (isLoopbackText(address)) return;
    const others = this.byAddress.get(address);
    if (others === undefined) this.byAddress.set(address, new Set([namespace]));
    else others.add(namespace);
  }

  private lose(namespace: Namespace, address: string): void {
    namespace.addresses.delete(address);
    const others = this.byAddress.get(address);
    others?.delete(namespace);
    if (others?.size === 0) this.byAddress.delete(address);
  }
}
