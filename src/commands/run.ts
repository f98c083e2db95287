import { runAgent, type AgentOptions } from '../agent/index.js';
import { loadConfig, type ConfigSources } from '../config/index.js';
import { ProcflowError } from '../errors.js';
import { createLog } from '../log.js';
import { Reloads } from './reloads.js';
import { onHangUp, stopOnSignals } from './signals.js';
import { exitWhenStuck } from './stop.js';

interface RunFlags {
  readonly replay?: string;
  readonly speed?: 'real' | 'full';
}

/** `procflow run`: the agent until a signal stops it. */
export async function run(sources: ConfigSources, flags: RunFlags): Promise<void> {
  if (flags.speed !== undefined && flags.replay === undefined) {
    throw new ProcflowError('USAGE', '--speed needs --replay FILE: only a recording can be played faster');
  }
  const config = loadConfig(sources);
  const log = createLog(config.log);
  const reloads = new Reloads(config, sources, log);
  const stop = stopOnSignals();
  const hungUp = new AbortController();
  const ignoreHangUp = onHangUp(
    () => reloads.reload(),
    () => hungUp.abort(new Error('the terminal is gone')),
  );
  const options: AgentOptions = {
    log,
    onReload: (listener) => reloads.add(listener),
    ...(flags.replay === undefined ? {} : { replay: { file: flags.replay, speed: flags.speed ?? 'real' } }),
  };
  const signal = AbortSignal.any([stop.signal, hungUp.signal]);
  const finished = exitWhenStuck(signal, log);
  try {
    await runAgent(config, options, signal);
  } finally {
    ignoreHangUp();
    stop.dispose();
    finished();
  }
}
