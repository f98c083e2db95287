/** A reason to stop that whoever reads it can do something about: cause, then cure. */
export class SetupError extends Error {}

/** One line about what is being done. On standard error: standard output belongs to the program that is started. */
export function say(line) {
  process.stderr.write(`set-up: ${line}\n`);
}
