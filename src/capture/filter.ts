/** The configured filter in the terms of the kernel: bytes, numbers and cgroup ids. */
import { execFileSync } from 'node:child_process';
import { lstatSync, readdirSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import { join } from 'node:path';
import type { Config } from '../config/index.js';
import { ProcflowError } from '../errors.js';
import { addressBytes } from './address.js';
import type { NativeFilter, NativeFilterLists } from './addon.js';
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

function nativeLists(rules: Rules, cgroupRoot: string | null): NativeFilterLists {
  return {
    addresses: rules.addresses.map(prefix),
    ports: rules.ports,
    protocols: rules.protocols.map((name) => PROTOCOL_NUMBERS[name]),
    cgroups: rules.cgroups.flatMap((path) => cgroupIds(path, cgroupRoot)),
    uids: rules.users.map((user) => (typeof user === 'number' ? user : uidOf(user))),
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

/** The host's name service is asked by getent(1): files, LDAP and sssd alike. */
function uidOf(name: string): number {
  try {
    const entry = execFileSync('getent', ['passwd', '--', name], { encoding: 'utf8', timeout: 5000 });
    const uid = Number(entry.split(':')[2]);
    if (Number.isInteger(uid)) return uid;
  } catch {
    // Told below, in the user's words.
  }
  throw new ProcflowError(
    'CONFIG_INVALID',
    `capture.filter names the user "${name}", but this host has no such account`,
  );
}

/** Ids of a cgroup and all below it. New cgroups below it are met at the next reload. */
function cgroupIds(path: string, root: string | null): number[] {
  if (root === null) {
    throw new ProcflowError('CONFIG_INVALID', 'capture.filter names a cgroup, but no cgroup v2 hierarchy is mounted');
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
    throw new ProcflowError(
      'CONFIG_INVALID',
      `capture.filter names the cgroup "${path}", but ${root} has no such one`,
      {
        cause: error,
      },
    );
  }
  return ids;
}
