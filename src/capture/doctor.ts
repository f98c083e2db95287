/** What the kernel and the privileges allow, and what to do about the rest. */
import { accessSync, constants } from 'node:fs';
import { release } from 'node:os';
import { loadAddon } from './addon.js';
import { effectiveCapabilities } from './capabilities.js';
import { Capture } from './capture.js';
import { findCgroupRoot } from './host.js';
import type { Config } from '../config/index.js';

export interface DoctorCheck {
  readonly name: string;
  readonly status: 'ok' | 'limited' | 'missing';
  readonly detail: string;
  /** What to do about it. */
  readonly cure?: string;
}

export interface DoctorReport {
  /** The source that `capture.source: auto` would take. */
  readonly source: string;
  readonly checks: readonly DoctorCheck[];
}

const CAPABILITIES = [
  { name: 'CAP_BPF', use: 'load the kernel programs' },
  { name: 'CAP_PERFMON', use: 'attach them to tracepoints' },
  { name: 'CAP_NET_ADMIN', use: 'attach them to cgroups' },
  { name: 'CAP_SYS_ADMIN', use: 'enter network namespaces' },
  { name: 'CAP_SYS_PTRACE', use: 'read the executable and the descriptors of other users’ processes' },
  { name: 'CAP_DAC_READ_SEARCH', use: 'find the path of a cgroup by its id' },
] as const;

/** Finds out what can be captured here, by trying it. */
export async function doctor(config: Config): Promise<DoctorReport> {
  const checks: DoctorCheck[] = [kernelCheck(), btfCheck(), ...capabilityChecks(), cgroupCheck(config)];
  const obstacle = loadAddon().bpfObstacle();
  checks.push(
    obstacle === ''
      ? { name: 'bpf(2)', status: 'ok', detail: 'allowed' }
      : { name: 'bpf(2)', status: 'missing', detail: obstacle, cure: 'run procflow as root' },
  );
  const capture = Capture.start({
    config: { ...config.capture, source: 'auto' },
    budgetPercent: 0,
    ownPorts: [],
    onBatch: () => undefined,
    onFailure: () => undefined,
  });
  const { source, sourceReason, tiers } = capture.status();
  for (const { name, state, reason } of tiers) {
    checks.push({
      name: `tier ${name}`,
      status: state !== 'ON' ? 'missing' : reason === null ? 'ok' : 'limited',
      detail: reason ?? (state === 'ON' ? 'attached' : state),
    });
  }
  await capture.stop();
  if (sourceReason !== null) checks.push({ name: 'source', status: 'limited', detail: `${source}: ${sourceReason}` });
  return { source, checks };
}

function kernelCheck(): DoctorCheck {
  const [major = 0, minor = 0] = release().split('.').map(Number);
  const version = major * 1000 + minor;
  const name = 'kernel';
  if (version >= 6003) return { name, status: 'ok', detail: release() };
  const cure = 'Linux 6.3 has everything';
  if (version >= 5011) return { name, status: 'limited', detail: `${release()}: no messages tier`, cure };
  return { name, status: 'missing', detail: `${release()}: too old for the kernel programs`, cure };
}

function btfCheck(): DoctorCheck {
  const name = 'type information';
  try {
    accessSync('/sys/kernel/btf/vmlinux', constants.R_OK);
    return { name, status: 'ok', detail: '/sys/kernel/btf/vmlinux' };
  } catch {
    const detail = '/sys/kernel/btf/vmlinux cannot be read';
    return { name, status: 'missing', detail, cure: 'a kernel built with CONFIG_DEBUG_INFO_BTF=y' };
  }
}

function capabilityChecks(): DoctorCheck[] {
  const effective = effectiveCapabilities() ?? [];
  return CAPABILITIES.map(({ name, use }) =>
    effective.includes(name)
      ? { name, status: 'ok', detail: use }
      : {
          name,
          status: 'missing',
          detail: `needed to ${use}`,
          cure: 'run procflow as root, or give it this capability',
        },
  );
}

function cgroupCheck(config: Config): DoctorCheck {
  const name = 'cgroup v2';
  const root = config.capture.cgroupRoot ?? findCgroupRoot();
  if (root !== null) return { name, status: 'ok', detail: root };
  return { name, status: 'limited', detail: 'not mounted: a private mount is made while the agent runs' };
}
