import { chownSync, readFileSync } from 'node:fs';
import { ProcflowError } from '../../errors.js';

/** Gives a file to a group, by name or number. @throws ProcflowError LISTEN_FAILED for a group that does not exist */
export function chownToGroup(path: string, group: string): void {
  const gid = /^\d+$/.test(group) ? Number(group) : gidOf(group);
  if (gid === undefined)
    throw new ProcflowError('LISTEN_FAILED', `api.socketGroup: there is no group ${JSON.stringify(group)}`);
  chownSync(path, process.getuid?.() ?? 0, gid);
}

function gidOf(name: string): number | undefined {
  const line = readFileSync('/etc/group', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith(`${name}:`));
  const gid = line?.split(':')[2];
  return gid === undefined ? undefined : Number(gid);
}
