import { readdirSync, readFileSync } from 'node:fs';

const MIB = 1024 * 1024;

/** CPU time that all live threads of a process have used, in nanoseconds; threads that ended are not in it. */
export function cpuNs(pid: number): number {
  let total = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    total += Number(readOrEmpty(`/proc/${pid}/task/${thread}/schedstat`).split(' ')[0] ?? 0);
  }
  return total;
}

/** Resident memory now, in MiB. */
export function rssMib(pid: number): number {
  const kib = /^VmRSS:\s*(\d+) kB/m.exec(readOrEmpty(`/proc/${pid}/status`))?.[1] ?? 0;
  return Number(kib) / 1024;
}

/** Memory of the kernel that a process's BPF maps hold, in MiB: it is not in the resident memory. */
export function bpfMapsMib(pid: number): number {
  const maps = new Map<string, number>();
  for (const descriptor of readdirSync(`/proc/${pid}/fdinfo`)) {
    const info = readOrEmpty(`/proc/${pid}/fdinfo/${descriptor}`);
    const id = /^map_id:\s*(\d+)/m.exec(info)?.[1];
    const bytes = /^memlock:\s*(\d+)/m.exec(info)?.[1];
    // Two descriptors of one map count once.
    if (id !== undefined && bytes !== undefined) maps.set(id, Number(bytes));
  }
  return [...maps.values()].reduce((sum, bytes) => sum + bytes, 0) / MIB;
}

/** A thread or descriptor may be gone by the time it is read. */
function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
