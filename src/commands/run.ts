import { runAgent, type AgentOptions } from '../agent.js';
import { loadConfig, reloadConfig, type Config, type ConfigSources } from '../config/index.js';
import { asError, ProcflowError } from '../errors.js';
import { createLog, type Logger } from '../log.js';
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

/** Reads the configuration again when asked to, and tells the agent's parts what they may take over. */
class Reloads {
  readonly #listeners = new Set<(config: Config) => void>();
  #config: Config;

  constructor(
    config: Config,
    private readonly sources: ConfigSources,
    private readonly log: Logger,
  ) {
    this.#config = config;
  }

  add(listener: (config: Config) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A configuration that is wrong changes nothing: the agent goes on with the one that it has. */
  reload(): void {
    try {
      const { config, changed, needRestart } = reloadConfig(this.#config, loadConfig(this.sources));
      this.#config = config;
      this.log.level = config.log.level;
      for (const listener of this.#listeners) listener(config);
      this.log.info({ changed, needRestart }, 'configuration read again');
    } catch (error) {
      this.log.error(`configuration not read again: ${asError(error).message}`);
    }
  }
}
