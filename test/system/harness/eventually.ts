import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 100;
/** Long enough for a machine that does much else meanwhile: what is right comes within a fraction of it. */
export const DEADLINE_MS = 20_000;

/** What no waiting will mend. */
export class Hopeless extends Error {}

/** Repeats `check` until it does not throw; at the deadline, or when there is no hope, throws what it threw last. */
export async function eventually<T>(check: () => T | Promise<T>, deadlineMs = DEADLINE_MS): Promise<T> {
  const end = performance.now() + deadlineMs;
  while (true) {
    try {
      return await check();
    } catch (error) {
      if (error instanceof Hopeless || performance.now() > end) throw error;
    }
    await sleep(POLL_MS);
  }
}
