import type { Capture } from '../capture/index.js';
import type { Logger } from '../log.js';

/** Gives up what is not needed once everything is open. An agent that cannot goes on, and says so. */
export function dropPrivileges(capture: Capture, log: Logger): void {
  try {
    capture.dropPrivileges();
  } catch (error) {
    log.warn(`privileges are kept: ${(error as Error).message}`);
  }
}
