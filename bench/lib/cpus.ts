import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Where what is measured runs, and where everything else does. */
export interface Cpus {
  readonly workload: number;
  readonly others: number;
}

/** The last CPU for the traffic, as interrupts prefer the first; with one CPU everything shares it. */
export function chooseCpus(): Cpus {
  const allowed = allowedCpus();
  const workload = allowed.at(-1) ?? 0;
  return { workload, others: allowed[0] ?? 0 };
}

/** Keeps this process off the traffic's CPU. @returns what lets it run everywhere again */
export function pinSelf(cpu: number): () => void {
  const before = allowedCpus();
  setAffinity(`${cpu}`);
  return () => setAffinity(before.join(','));
}

function setAffinity(list: string): void {
  // All threads: those of the pool, too, would disturb.
  const { status, stderr } = spawnSync('taskset', ['-a', '-c', '-p', list, `${process.pid}`], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`taskset failed: ${stderr}`);
}

function allowedCpus(): number[] {
  const status = readFileSync('/proc/self/status', 'utf8');
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(status)?.[1] ?? '0';
  return list.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}
