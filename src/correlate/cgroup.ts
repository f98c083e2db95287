/** What a cgroup path tells about the process in it: its container, its pod, its systemd unit. */
import type { Container } from './model.js';

export interface CgroupFacts {
  readonly container: Container | null;
  readonly unit: string | null;
}

const NOTHING: CgroupFacts = { container: null, unit: null };
const HEX_ID = '[0-9a-f]{64}';

/** Prefixes of scopes that runtimes make under systemd's driver. `…-conmon-` scopes hold the monitor, not the container. */
const SCOPE_RUNTIMES: Readonly<Record<string, string>> = {
  docker: 'docker',
  'cri-containerd': 'containerd',
  containerd: 'containerd',
  nerdctl: 'containerd',
  crio: 'cri-o',
  'cri-o': 'cri-o',
  libpod: 'podman',
  podman: 'podman',
};

/** Parents of a directory that is named by the bare id: the cgroupfs driver. */
const PARENT_RUNTIMES: Readonly<Record<string, string | null>> = {
  docker: 'docker',
  buildkit: 'docker',
  libpod_parent: 'podman',
  // A namespace of containerd, as `ctr` and nerdctl use it.
  default: 'containerd',
  'k8s.io': 'containerd',
  moby: 'docker',
};

const SCOPE = new RegExp(`^([a-z-]+)-(${HEX_ID})(?:\\.scope)?$`);
/** `kubepods-pod….slice:cri-containerd:id`: a path for systemd's driver given to the cgroupfs driver. */
const COLON = new RegExp(`^[^:]+:([a-z-]+):(${HEX_ID})$`);
const BARE_ID = new RegExp(`^(?:${HEX_ID}|[0-9a-f]{32}-[0-9]{4,})$`);
const POD =
  /(?:^|-)pod([0-9a-f]{8}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{12}|[0-9a-f]{32})(?:\.slice)?(?:$|:)/;
const UNIT = /^[^/]+\.(?:service|scope|socket|mount|swap)$/;

/** Reads a path; the innermost container and the innermost unit count (systemd runs in containers, too). */
export function readCgroup(path: string): CgroupFacts {
  const parts = path.split('/').filter((part) => part !== '');
  if (parts.length === 0) return NOTHING;
  return { container: containerOf(parts), unit: unitOf(parts) };
}

function unitOf(parts: readonly string[]): string | null {
  const unit = parts.findLast((part) => UNIT.test(part));
  // systemd puts "_" before names that the kernel would take for its own files.
  return unit === undefined ? null : unit.replace(/^_/, '');
}

function containerOf(parts: readonly string[]): Container | null {
  for (let i = parts.length - 1; i >= 0; i--) {
    const found = containerAt(parts, i);
    if (found !== null) return { ...found, podUid: podOf(parts) };
  }
  return null;
}

function podOf(parts: readonly string[]): string | null {
  for (const part of parts.toReversed()) {
    const uid = POD.exec(part)?.[1];
    if (uid !== undefined) return uid.replaceAll('_', '-');
  }
  return null;
}

function containerAt(parts: readonly string[], index: number): { id: string; runtime: string | null } | null {
  const part = parts[index] ?? '';
  const parent = parts[index - 1] ?? '';
  const match = SCOPE.exec(part) ?? COLON.exec(part);
  if (match !== null) {
    const [, prefix = '', id = ''] = match;
    return Object.hasOwn(SCOPE_RUNTIMES, prefix) ? { id, runtime: SCOPE_RUNTIMES[prefix] ?? null } : null;
  }
  if (BARE_ID.test(part)) return { id: part, runtime: runtimeOfParent(parent) };
  return lxcAt(part, parent) ?? machineAt(part, parent);
}

/** In a pod's directory or an unknown one the runtime is not told. */
function runtimeOfParent(parent: string): string | null {
  return Object.hasOwn(PARENT_RUNTIMES, parent) ? (PARENT_RUNTIMES[parent] ?? null) : null;
}

/** `/lxc/name`, `/lxc.payload/name`, `/lxc.payload.name`; `lxc.monitor…` is outside of the container. */
function lxcAt(part: string, parent: string): { id: string; runtime: string } | null {
  const payload = /^lxc\.payload\.(.+)$/.exec(part)?.[1];
  if (payload !== undefined) return { id: payload, runtime: 'lxc' };
  return parent === 'lxc' || parent === 'lxc.payload' ? { id: part, runtime: 'lxc' } : null;
}

/** Machines of systemd: `systemd-nspawn@name.service`, and `machine-name.scope` when started by hand; no virtual ones. */
function machineAt(part: string, parent: string): { id: string; runtime: string } | null {
  const service = /^systemd-nspawn@(.+)\.service$/.exec(part)?.[1];
  if (service !== undefined) return { id: unescapeUnit(service), runtime: 'systemd-nspawn' };
  const scope = parent === 'machine.slice' ? /^machine-(.+)\.scope$/.exec(part)?.[1] : undefined;
  if (scope === undefined) return null;
  const name = unescapeUnit(scope);
  return /^(?:qemu|lxc)-/.test(name) ? null : { id: name, runtime: 'systemd-nspawn' };
}

function unescapeUnit(text: string): string {
  return text.replace(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** Paths repeat for every process of a service; more than so many at once are read again. */
const CACHE_SIZE = 10_000;

/** Remembers what paths told, so that processes of one container share one object. */
export class CgroupReader {
  private readonly known = new Map<string, CgroupFacts>();

  read(path: string): CgroupFacts {
    const known = this.known.get(path);
    if (known !== undefined) return known;
    if (this.known.size >= CACHE_SIZE) this.known.clear();
    const facts = readCgroup(path);
    this.known.set(path, facts);
    return facts;
  }
}
