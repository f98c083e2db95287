/** The configured filter in the terms of the kernel: bytes, numbers and cgroup ids. */
import { execFileSync } from 'node:child_process';
import { lstatSync, readdirSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import { join } from 'node:path';
import type { Config } from '../config/index.js';
import { ProcflowError } from '../errors.js';
import { addressBytes } from './address.js';
import type { NativeFilter, NativeFilterLists, NativePackets } from './addon.js';
import { findCgroupRoot } from './host.js';

type FilterConfig = Config['capture']['filter'];
type Rules = FilterConfig['keep'];

/** IANA protocol numbers; PACKET has none, and raw sockets of other protocols go by IPPROTO_RAW. */
const PROTOCOL_NUMBERS: Readonly<Record<Rules['protocols'][number], number>> = {
  TCP: 6,
  UDP: 17,
  ICMP: 1,
  ICMPV6: 58,
  SCTP: 132,
  RAW: 255,
  PACKET: 0,
};

/** comm has this many bytes in the kernel. */
const COMM_BYTES = 15;

export interface FilterContext {
  readonly keepOwnTraffic: boolean;
  readonly ownPorts: readonly number[];
  readonly cgroupRoot: string | null;
}

/** @throws ProcflowError CONFIG_INVALID when a user or cgroup does not exist */
export function nativeFilter(filter: FilterConfig, context: FilterContext): NativeFilter {
  const root = context.cgroupRoot ?? findCgroupRoot();
  return {
    keep: nativeLists(filter.keep, root),
    drop: nativeLists(filter.drop, root),
    loopback: filter.loopback,
    ownTraffic: context.keepOwnTraffic,
    ownPorts: context.ownPorts,
  };
}

/** @throws ProcflowError CONFIG_INVALID when a user or cgroup does not exist */
export function nativePackets(packets: Config['capture']['packets'], configuredRoot: string | null): NativePackets {
  const root = configuredRoot ?? findCgroupRoot();
  const { enabled, firstPackets, bytesPerPacket, ports, cgroups, users } = packets;
  return {
    enabled,
    firstPackets,
    bytesPerPacket,
    ports,
    cgroups: cgroups.flatMap((path) => cgroupIds('capture.packets', path, root)),
    uids: users.map((user) => uid('capture.packets', user)),
  };
}

function nativeLists(rules: Rules, cgroupRoot: string | null): NativeFilterLists {
  return {
    addresses: rules.addresses.map(prefix),
    ports: rules.ports,
    protocols: rules.protocols.map((name) => PROTOCOL_NUMBERS[name]),
    cgroups: rules.cgroups.flatMap((path) => cgroupIds('capture.filter', path, cgroupRoot)),
    uids: rules.users.map((user) => uid('capture.filter', user)),
    processes: rules.processes.map(comm),
  };
}

function prefix(text: string): { bytes: Uint8Array; bits: number } {
  const [address = '', length] = text.split('/');
  const offset = isIPv4(address) ? 96 : 0;
  const bits = length === undefined ? 128 : Number(length) + offset;
  return { bytes: addressBytes(address), bits };
}

/** The name as the kernel has it: cut to 15 bytes. */
function comm(name: string): string {
  const bytes = Buffer.from(name);
  return bytes.length <= COMM_BYTES ? name : bytes.subarray(0, COMM_BYTES).toString('latin1');
}

/** The host's name service is asked by getent(1): files, LDAP and sssd alike. `key` is what names the user. */
function uid(key: string, user: string | number): number {
  if (typeof user === 'number') return user;
  try {
    const entry = execFileSync('getent', ['passwd', '--', user], { encoding: 'utf8', timeout: 5000 });
    const found = Number(entry.split(':')[2]);
    if (Number.isInteger(found)) return found;
  } catch {
    // Told below, in the user's words.
  }
  throw new ProcflowError('CONFIG_INVALID', `${key} names the user "${user}", but this host has no such account`);
}

/** Ids of a cgroup and all below it. New cgroups below it are met at the next reload. `key` is what names it. */
function cgroupIds(key: string, path: string, root: string | null): number[] {
  if (root === null) {
    throw new ProcflowError('CONFIG_INVALID', `${key} names a cgroup, but no cgroup v2 hierarchy is mounted`);
  }
  const ids: number[] = [];
  const visit = (directory: string): void => {
    ids.push(lstatSync(directory).ino);
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      if (entry.isDirectory()) visit(join(directory, entry.name));
    }
  };
  try {
    visit(join(root, path));
  } catch (error) {
    throw new ProcflowError('CONFIG_INVALID', `${key} names the cgroup "${path}", but ${root} has no such one`, {
      cause: error,
    });
  }
  return ids;
}
