import { homedir } from 'node:os';
import { join } from 'node:path';

/** What the defaults depend on: who runs the agent, and where. */
export interface Machine {
  readonly root: boolean;
  readonly home: string;
  /** Where a user's sockets go; undefined when the login gave none. */
  readonly runtimeDirectory: string | undefined;
  /** Whether a person reads standard error. */
  readonly terminal: boolean;
}

/** The machine that this process runs on. */
export function thisMachine(env: NodeJS.ProcessEnv = process.env): Machine {
  const runtime = env['XDG_RUNTIME_DIR'];
  return {
    root: process.geteuid?.() === 0,
    home: homedir(),
    runtimeDirectory: runtime === undefined || runtime === '' ? undefined : runtime,
    terminal: process.stderr.isTTY,
  };
}

export const DEFAULT_CONFIG_FILE = '/etc/procflow/procflow.yaml';

export function defaultSocket(machine: Machine): string | null {
  if (machine.root) return '/run/procflow/procflow.sock';
  return machine.runtimeDirectory === undefined ? null : join(machine.runtimeDirectory, 'procflow.sock');
}

export function defaultTokensFile(machine: Machine): string {
  return machine.root ? '/etc/procflow/tokens.json' : join(machine.home, '.config/procflow/tokens.json');
}
