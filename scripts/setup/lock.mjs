import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROOT, STATE } from './paths.mjs';
import { say, SetupError } from './report.mjs';

const LOCK = join(STATE, 'lock');
const RETRY_MS = 200;

/**
 * Waits until no other set-up works in this project. The lock is a directory with its owner in it, put in place whole by
 * a rename, which fails while another one is there. One whose owner is gone is taken over.
 * @returns {Promise<() => void>} what releases it
 */
export async function acquireLock() {
  const mine = identity(process.pid);
  let waitingFor;
  while (!tryLock(mine)) {
    const owner = readOwner(LOCK);
    if (owner !== undefined && !isAlive(owner)) {
      removeStale(owner);
      continue;
    }
    if (owner !== undefined && owner !== waitingFor) {
      say(`waiting for another set-up (process ${owner.split(' ')[0]}) to finish`);
      waitingFor = owner;
    }
    await sleep(RETRY_MS);
  }
  return () => rmSync(LOCK, { recursive: true, force: true });
}

function tryLock(mine) {
  const aside = `${LOCK}.${process.pid}`;
  try {
    mkdirSync(aside, { recursive: true });
    writeFileSync(join(aside, 'owner'), mine);
  } catch (error) {
    throw new SetupError(
      `${STATE} cannot be written (${error.message}); the project must belong to the user that runs npm: chown -R USER ${ROOT}`,
    );
  }
  try {
    renameSync(aside, LOCK);
    return true;
  } catch (error) {
    rmSync(aside, { recursive: true, force: true });
    if (error.code === 'ENOTEMPTY' || error.code === 'EEXIST') return false;
    throw error;
  }
}

/** Moved away before it is deleted, and back if it was a new owner's after all. */
function removeStale(owner) {
  const aside = `${LOCK}.stale.${process.pid}`;
  try {
    renameSync(LOCK, aside);
    if (readOwner(aside) !== owner) renameSync(aside, LOCK);
  } catch {
    // Somebody else was faster.
  }
  rmSync(aside, { recursive: true, force: true });
}

function readOwner(directory) {
  try {
    return readFileSync(join(directory, 'owner'), 'utf8');
  } catch {
    return undefined;
  }
}

function isAlive(owner) {
  return identity(Number(owner.split(' ')[0])) === owner;
}

/** Pid and start time: a pid alone may be somebody else's by now. */
function identity(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold anything; the start time is the 20th field after it.
    return `${pid} ${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]}`;
  } catch {
    return `${pid} gone`;
  }
}
