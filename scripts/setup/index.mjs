import { accessSync, constants } from 'node:fs';
import { acquireLock } from './lock.mjs';
import { nativeStep } from './native.mjs';
import { npmStep } from './npm.mjs';
import { packagesStep } from './packages.mjs';
import { ROOT } from './paths.mjs';
import { say, SetupError } from './report.mjs';
import { typescriptStep } from './typescript.mjs';

/**
 * A step knows by itself whether it is due, and tells what it is about to do.
 * @typedef {{ due(): boolean, run(): Promise<void> }} Step
 */

/**
 * Makes what is missing or out of date: Debian packages, npm packages, the native addon, the TypeScript build. Ends the
 * process with the cause and the cure when that cannot be done.
 * @param {{ tests?: boolean, bench?: boolean }} options
 */
export async function setUpOrExit(options) {
  try {
    await setUp(options);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    say(error.message);
    process.exit(1);
  }
}

async function setUp(options) {
  requireNode();
  // In this order: each step needs what those before it made.
  const steps = [packagesStep(options), npmStep(), nativeStep(), typescriptStep()];
  if (!steps.some((step) => step.due())) {
    say('nothing to do');
    return;
  }
  requireWritable();
  const release = await acquireLock();
  try {
    for (const step of steps) {
      // Asked again under the lock: whoever held it may have done this.
      if (step.due()) await step.run();
    }
  } finally {
    release();
  }
}

function requireWritable() {
  try {
    accessSync(ROOT, constants.W_OK);
  } catch {
    throw new SetupError(
      `${ROOT} cannot be written; the project must belong to the user that runs npm: chown -R USER ${ROOT}`,
    );
  }
}

/** The oldest version that all packages take. */
const OLDEST_NODE = [20, 17];

function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1])) {
    throw new SetupError(`Node.js ${process.versions.node} is too old; install ${OLDEST_NODE.join('.')} or later`);
  }
  if (process.platform !== 'linux') throw new SetupError('procflow needs Linux: it reads sockets from its kernel');
}
