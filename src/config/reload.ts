import { isDeepStrictEqual } from 'node:util';
import { mappingOf, merge, valueAt, type Mapping } from './layer.js';
import type { Config } from './schema.js';
import { SETTINGS } from './settings.js';

/** What a running agent takes over when it reads its configuration again. */
export interface Reloaded {
  /** The running configuration with the new values of what may change. */
  readonly config: Config;
  /** The keys that changed and are now in force. */
  readonly changed: readonly string[];
  /** The keys that changed but need a restart. */
  readonly needRestart: readonly string[];
}

/** The part of `fresh` that an agent running with `current` may take over. */
export function reloadConfig(current: Config, fresh: Config): Reloaded {
  const different = SETTINGS.filter(({ path }) => !isDeepStrictEqual(valueAt(current, path), valueAt(fresh, path)));
  const changed = different.filter(({ runtime }) => runtime === true);
  const config = changed.reduce<Mapping>(
    (all, { path }) => merge(all, mappingOf(path, valueAt(fresh, path))),
    current as unknown as Mapping,
  );
  return {
    // The same keys with values out of two valid configurations are a valid one.
    config: config as unknown as Config,
    changed: changed.map(({ key }) => key),
    needRestart: different.filter(({ runtime }) => runtime !== true).map(({ key }) => key),
  };
}
