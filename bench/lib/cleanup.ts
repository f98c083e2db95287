/**
 * What must be undone when a benchmark ends in any way: by itself, by an error, by Ctrl-C. What was started first is
 * undone last.
 */
type Undo = () => Promise<void> | void;

const undos: Undo[] = [];

/** @returns what undoes it now; the second call does nothing */
export function undoLater(undo: Undo): () => Promise<void> {
  undos.push(undo);
  return async () => {
    const index = undos.indexOf(undo);
    if (index === -1) return;
    undos.splice(index, 1);
    await undo();
  };
}

/** Undoes everything that is left; one failure does not keep the others from being undone. */
export async function undoAll(): Promise<void> {
  for (let undo = undos.pop(); undo !== undefined; undo = undos.pop()) {
    try {
      await undo();
    } catch (error) {
      process.stderr.write(`cleaning up: ${(error as Error).message}\n`);
    }
  }
}

/** Ctrl-C and kill end the benchmark in order; the second one at once. */
export function cleanUpOnSignals(): void {
  let stopping = false;
  const stop = (signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP', code: number): void => {
    process.on(signal, () => {
      if (stopping) process.exit(code);
      stopping = true;
      process.stderr.write(`\nstopping what was started\n`);
      void undoAll().finally(() => process.exit(code));
    });
  };
  stop('SIGINT', 130);
  stop('SIGTERM', 143);
  stop('SIGHUP', 129);
}
