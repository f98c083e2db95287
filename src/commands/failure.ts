import { CommanderError } from 'commander';
import { asError, ProcflowError } from '../errors.js';

/** Nothing will run until whoever called changes something: wrong flags, wrong configuration. */
const EXIT_USAGE = 2;
const EXIT_FAILURE = 1;

/** Says on standard error why the program ends, and ends it. */
export function reportAndExit(thrown: unknown): never {
  const { text, exitCode } = describeFailure(thrown);
  if (text !== '') process.stderr.write(`${text}\n`);
  process.exit(exitCode);
}

/** What to print for an error, and the exit code. User's mistakes have no stack, ours do. */
export function describeFailure(thrown: unknown): { readonly text: string; readonly exitCode: number } {
  if (thrown instanceof CommanderError) {
    // Help and version were asked for, or commander has already said what is wrong.
    return { text: '', exitCode: thrown.exitCode === 0 ? 0 : EXIT_USAGE };
  }
  if (thrown instanceof ProcflowError) {
    const usage = thrown.code === 'USAGE' || thrown.code === 'CONFIG_INVALID';
    return { text: `procflow: ${thrown.message}`, exitCode: usage ? EXIT_USAGE : EXIT_FAILURE };
  }
  const error = asError(thrown);
  return { text: `procflow: internal error: ${error.stack ?? error.message}`, exitCode: EXIT_FAILURE };
}
