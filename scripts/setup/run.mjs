import { spawn } from 'node:child_process';
import { SetupError } from './report.mjs';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];
const TAIL_LINES = 40;

/**
 * Runs a program quietly; what it printed is shown, the end of it, only when it fails.
 * @param {string} what names the work in the error: "npm ci"
 */
export async function runQuietly(what, command, args, options = {}) {
  const output = [];
  const { code, signal, error } = await run(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] }, (chunk) =>
    output.push(chunk),
  );
  if (code === 0) return;
  const reason = error?.message ?? (signal === null ? `exit code ${code}` : signal);
  const lines = Buffer.concat(output).toString().trimEnd().split('\n').slice(-TAIL_LINES);
  throw new SetupError(`${what} failed (${reason}). The end of its output:\n  ${lines.join('\n  ')}`);
}

/** Runs a program on our own terminal and gives its exit code. */
export async function passOn(command, args, options = {}) {
  const { code, signal, error } = await run(command, args, { ...options, stdio: 'inherit' });
  if (error !== undefined) throw new SetupError(`${command} cannot be started: ${error.message}`);
  return signal === null ? code : 1;
}

/** A signal that would end us ends the child first, so that nothing goes on working after we are gone. */
function run(command, args, options, onOutput) {
  return new Promise((resolve) => {
    const child = spawn(command, args, options);
    let stoppedBy;
    const stop = (signal) => {
      stoppedBy = signal;
      child.kill(signal);
    };
    for (const signal of SIGNALS) process.on(signal, stop);
    const done = (result) => {
      for (const signal of SIGNALS) process.off(signal, stop);
      // With our listeners gone the signal has its default effect again.
      if (stoppedBy !== undefined) process.kill(process.pid, stoppedBy);
      resolve(result);
    };
    child.stdout?.on('data', onOutput);
    child.stderr?.on('data', onOutput);
    child.once('error', (error) => done({ code: 1, signal: null, error }));
    child.once('close', (code, signal) => done({ code, signal }));
  });
}
