import type { Logger } from '../log.js';

/** Longer than any part of the agent may take to stop; whatever is not done by then is stuck. */
const STOP_TIMEOUT_MS = 10_000;
/** Handles that somebody forgot to close must not keep an agent alive that has finished. */
const LINGER_MS = 1000;

/**
 * Makes sure that the process ends once `signal` is aborted, also when a part hangs.
 * @returns what to call when the work is done
 */
export function exitWhenStuck(signal: AbortSignal, log: Logger): () => void {
  let stuck: NodeJS.Timeout | undefined;
  const start = (): void => {
    log.info(`stopping: ${(signal.reason as Error).message}`);
    stuck = endLater(STOP_TIMEOUT_MS, 1, () => log.error('not stopped in time'));
  };
  signal.addEventListener('abort', start, { once: true });
  return () => {
    signal.removeEventListener('abort', start);
    clearTimeout(stuck);
    endLater(LINGER_MS, 0, () => log.warn({ open: process.getActiveResourcesInfo() }, 'something was left open'));
  };
}

function endLater(delayMs: number, exitCode: number, explain: () => void): NodeJS.Timeout {
  const timer = setTimeout(() => {
    explain();
    process.exit(exitCode);
  }, delayMs);
  // By itself it keeps nothing alive: a process with nothing left to do ends before it.
  return timer.unref();
}
