import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROOT } from './paths.mjs';
import { say } from './report.mjs';

const RETRY_MS = 200;

/**
 * Waits until no other set-up works in this project. The lock is an abstract socket address, which one process at a time
 * can hold and which the kernel frees when that one is gone, however it ended.
 * @returns {Promise<() => void>} what releases it
 */
export async function acquireLock() {
  const address = `\0procflow-set-up-${createHash('sha256').update(ROOT).digest('hex')}`;
  for (let attempts = 0; ; attempts++) {
    const holder = createServer();
    try {
      holder.listen(address);
      await once(holder, 'listening');
      return () => holder.close();
    } catch (error) {
      if (error.code !== 'EADDRINUSE') throw error;
    }
    if (attempts === 0) say('waiting for another set-up of this project to finish');
    await sleep(RETRY_MS);
  }
}
