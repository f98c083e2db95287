import { constants } from 'node:os';
import { isatty } from 'node:tty';

/**
 * A Ctrl-C under npm arrives twice, from the terminal and again from npm. Two signals this close are one wish.
 */
const SAME_WISH_MS = 500;

export interface StopSignals {
  /** Aborted by the first SIGTERM or SIGINT. */
  readonly signal: AbortSignal;
  /** Gives the signals back to their defaults. */
  readonly dispose: () => void;
}

/** Turns SIGTERM and SIGINT into an abort; the next one after that ends the program at once. */
export function stopOnSignals(
  exit: (code: number) => void = (code) => process.exit(code),
  now = () => performance.now(),
): StopSignals {
  const controller = new AbortController();
  let firstAt: number | undefined;
  const stop = (name: NodeJS.Signals): void => {
    if (firstAt === undefined) {
      firstAt = now();
      controller.abort(new Error(`stopped by ${name}`));
    } else if (now() - firstAt > SAME_WISH_MS) {
      exit(128 + constants.signals[name]);
    }
  };
  process.on('SIGTERM', stop).on('SIGINT', stop);
  return {
    signal: controller.signal,
    dispose: () => process.off('SIGTERM', stop).off('SIGINT', stop),
  };
}

/**
 * Calls `reload` on SIGHUP, and `hangUp` when the signal means that the terminal which started us is gone.
 * @returns what gives the signal back to its default
 */
export function onHangUp(reload: () => void, hangUp: () => void): () => void {
  const fromTerminal = isatty(0);
  const listener = (): void => (fromTerminal && !isatty(0) ? hangUp() : reload());
  process.on('SIGHUP', listener);
  return () => process.off('SIGHUP', listener);
}
