import { ProcflowError } from '../../errors.js';
import { allows, type Scope } from '../../tokens.js';
import type { Deadline } from './page.js';

/** On whose behalf and until when a query runs. One per request. */
export class Caller {
  readonly deadline: Deadline;
  /** Asked for every process of an answer. */
  readonly mayReadCommandLines: boolean;

  constructor(
    readonly scopes: readonly Scope[],
    /** What relative times are relative to. */
    readonly nowMicros: number,
    timeoutMs: number,
  ) {
    this.deadline = new TimeLimit(timeoutMs);
    this.mayReadCommandLines = allows(scopes, 'cmdline:read');
  }

  /** @throws ProcflowError FORBIDDEN naming the scope */
  need(scope: Scope): void {
    if (!this.may(scope)) throw new ProcflowError('FORBIDDEN', `this needs a token with the scope ${scope}`);
  }

  may(scope: Scope): boolean {
    return allows(this.scopes, scope);
  }
}

class TimeLimit implements Deadline {
  readonly #endMs: number;

  constructor(private readonly timeoutMs: number) {
    this.#endMs = performance.now() + timeoutMs;
  }

  check(): void {
    if (performance.now() > this.#endMs) {
      throw new ProcflowError(
        'TIMEOUT',
        `the query took longer than ${this.timeoutMs} ms: narrow its filter or ask for less`,
      );
    }
  }
}
