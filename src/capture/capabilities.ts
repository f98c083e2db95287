import { readFileSync } from 'node:fs';

/** By their numbers: include/uapi/linux/capability.h. */
const NAMES = [
  ...['CAP_CHOWN', 'CAP_DAC_OVERRIDE', 'CAP_DAC_READ_SEARCH', 'CAP_FOWNER', 'CAP_FSETID', 'CAP_KILL', 'CAP_SETGID'],
  ...['CAP_SETUID', 'CAP_SETPCAP', 'CAP_LINUX_IMMUTABLE', 'CAP_NET_BIND_SERVICE', 'CAP_NET_BROADCAST', 'CAP_NET_ADMIN'],
  ...['CAP_NET_RAW', 'CAP_IPC_LOCK', 'CAP_IPC_OWNER', 'CAP_SYS_MODULE', 'CAP_SYS_RAWIO', 'CAP_SYS_CHROOT'],
  ...['CAP_SYS_PTRACE', 'CAP_SYS_PACCT', 'CAP_SYS_ADMIN', 'CAP_SYS_BOOT', 'CAP_SYS_NICE', 'CAP_SYS_RESOURCE'],
  ...['CAP_SYS_TIME', 'CAP_SYS_TTY_CONFIG', 'CAP_MKNOD', 'CAP_LEASE', 'CAP_AUDIT_WRITE', 'CAP_AUDIT_CONTROL'],
  ...['CAP_SETFCAP', 'CAP_MAC_OVERRIDE', 'CAP_MAC_ADMIN', 'CAP_SYSLOG', 'CAP_WAKE_ALARM', 'CAP_BLOCK_SUSPEND'],
  ...['CAP_AUDIT_READ', 'CAP_PERFMON', 'CAP_BPF', 'CAP_CHECKPOINT_RESTORE'],
];

/** Effective capabilities of the agent's threads, by their names in capabilities(7). */
export interface AgentCapabilities {
  /** Of the thread that captures; null when there is none. */
  readonly capture: readonly string[] | null;
  /** Of all the others. */
  readonly others: readonly string[];
}

/**
 * The effective capabilities of a thread of this process, by their names in capabilities(7); of the main thread when none
 * is named. Null when the thread is gone.
 */
export function effectiveCapabilities(thread = process.pid): readonly string[] | null {
  let status: string;
  try {
    status = readFileSync(`/proc/self/task/${thread}/status`, 'utf8');
  } catch {
    return null;
  }
  const set = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  return NAMES.filter((_, bit) => (set >> BigInt(bit)) % 2n === 1n);
}

/** Of this process now, with the thread that captures if there is one. */
export function agentCapabilities(captureThread: number | null): AgentCapabilities {
  return {
    capture: captureThread === null ? null : effectiveCapabilities(captureThread),
    others: effectiveCapabilities() ?? [],
  };
}
