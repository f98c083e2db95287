/** Works batches off in slices, between which the event loop turns, so that the APIs answer meanwhile. */
import type { Batch } from '../capture/batch.js';

const DEFAULT_QUEUED_BYTES = 64 * 1024 * 1024;
/** Work at one go: longer, and the APIs would answer late. */
const SLICE_MS = 5;

export class BatchWork {
  private readonly queue: Batch[] = [];
  private queuedBytes = 0;
  private work: Generator<void, void> | null = null;
  private scheduled = false;
  private waiters: (() => void)[] = [];

  /**
   * @param run what there is to do with a batch; it yields where a slice may end
   * @param maxQueuedBytes of batches that wait
   */
  constructor(
    private readonly run: (batch: Batch) => Generator<void, void>,
    private readonly maxQueuedBytes = DEFAULT_QUEUED_BYTES,
  ) {}

  /**
   * Takes a batch. The queue is bounded by working at once when it is full, so that a flood is felt, and counted, where
   * the batches come from.
   */
  add(batch: Batch): void {
    this.queue.push(batch);
    this.queuedBytes += batch.buffer.byteLength;
    while (this.queuedBytes > this.maxQueuedBytes && this.step(Infinity));
    this.schedule();
  }

  /** Begins what is no batch's work; only when nothing {@link isBusy}. */
  begin(work: Generator<void, void>): void {
    this.work = work;
    this.schedule();
  }

  /** Works off everything that waits, now. */
  flush(): void {
    while (this.step(Infinity));
  }

  /** Resolves when nothing waits. */
  async settled(): Promise<void> {
    if (this.work === null && this.queue.length === 0) return;
    await new Promise<void>((resolve) => this.waiters.push(resolve));
  }

  /** Whether something is half done. */
  get isBusy(): boolean {
    return this.work !== null;
  }

  /** Bytes of the batches that wait, and of the one that is half done. */
  get backlogBytes(): number {
    return this.queuedBytes;
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      if (this.step(performance.now() + SLICE_MS)) this.schedule();
    });
  }

  /** Works until `deadline`, or the end of one batch; false when nothing is left. */
  private step(deadline: number): boolean {
    if (this.work === null) {
      const batch = this.queue.shift();
      if (batch === undefined) return false;
      this.work = this.runOne(batch);
    }
    for (;;) {
      if (this.work.next().done === true) {
        this.work = null;
        break;
      }
      if (performance.now() >= deadline) return true;
    }
    if (this.queue.length > 0) return true;
    const { waiters } = this;
    this.waiters = [];
    for (const resolve of waiters) resolve();
    return false;
  }

  private *runOne(batch: Batch): Generator<void, void> {
    yield* this.run(batch);
    this.queuedBytes -= batch.buffer.byteLength;
  }
}
