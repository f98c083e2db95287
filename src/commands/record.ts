import { record } from '../agent/index.js';
import { loadConfig, type ConfigSources } from '../config/index.js';
import { createLog } from '../log.js';
import { stopOnSignals } from './signals.js';
import { exitWhenStuck } from './stop.js';

/** `procflow record FILE`: what capture gives, into a file, until a signal stops it. */
export async function recordCommand(sources: ConfigSources, file: string): Promise<void> {
  const config = loadConfig(sources);
  const stop = stopOnSignals();
  const finished = exitWhenStuck(stop.signal, createLog(config.log));
  try {
    await record(config, file, stop.signal);
  } finally {
    stop.dispose();
    finished();
  }
}
