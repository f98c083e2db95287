/** Facts about this host that capture and the recordings need. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname, release } from 'node:os';

export interface HostFacts {
  /** Opaque, stable over restarts: made from /etc/machine-id, which itself must not be told. */
  readonly hostId: string;
  readonly bootId: string;
  readonly hostname: string;
  readonly kernel: string;
}

export function hostFacts(): HostFacts {
  return {
    hostId: hostId(),
    bootId: readText('/proc/sys/kernel/random/boot_id'),
    hostname: hostname(),
    kernel: release(),
  };
}

function hostId(): string {
  // machine-id(5): an application shows only a hash of it, keyed by its own name.
  const machine = readText('/etc/machine-id') || hostname();
  return createHash('sha256').update(`procflow:${machine}`).digest('base64url').slice(0, 16);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
}

/** Where the cgroup v2 hierarchy is mounted (on hybrid hosts not at /sys/fs/cgroup); null when nowhere. */
export function findCgroupRoot(): string | null {
  for (const line of readText('/proc/self/mountinfo').split('\n')) {
    const [fields, rest] = line.split(' - ');
    if (rest?.startsWith('cgroup2 ') !== true) continue;
    const mountPoint = fields?.split(' ')[4];
    if (mountPoint === undefined) continue;
    return mountPoint.replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
  }
  return null;
}
