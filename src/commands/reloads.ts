import { loadConfig, reloadConfig, type Config, type ConfigSources } from '../config/index.js';
import { asError } from '../errors.js';
import type { Logger } from '../log.js';

/** Reads the configuration again when asked to, and tells the agent's parts what they may take over. */
export class Reloads {
  readonly #sources: ConfigSources;
  readonly #log: Logger;
  readonly #listeners = new Set<(config: Config) => void>();
  #config: Config;

  constructor(config: Config, sources: ConfigSources, log: Logger) {
    this.#config = config;
    this.#sources = sources;
    this.#log = log;
  }

  /** Adds what is told of every reload; gives back what takes it off again. */
  add(listener: (config: Config) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A configuration that is wrong changes nothing: the agent goes on with the one that it has. */
  reload(): void {
    try {
      const { config, changed, needRestart } = reloadConfig(this.#config, loadConfig(this.#sources));
      this.#config = config;
      this.#log.level = config.log.level;
      for (const listener of this.#listeners) listener(config);
      this.#log.info({ changed, needRestart }, 'configuration read again');
    } catch (error) {
      this.#log.error(`configuration not read again: ${asError(error).message}`);
    }
  }
}
