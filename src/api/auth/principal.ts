import type { Scope } from '../../tokens.js';

/** Who asks, as far as it matters: by which way, and what is allowed. */
export interface Principal {
  readonly name: string;
  readonly scopes: readonly Scope[];
}

/** Where a connection came in. A listener that is not loopback trusts nobody without a token. */
export type Door = 'unix' | 'loopback' | 'network';

/** Whoever reaches the unix socket or the loopback address without a token may read everything, and change nothing. */
export const LOCAL: Principal = { name: 'local', scopes: ['flows:read', 'processes:read', 'cmdline:read'] };
