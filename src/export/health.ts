/** Whether a collector takes records, and what went wrong last. */
import type { Logger } from '../log.js';

export interface HealthStatus {
  /** UP while it takes records; over UDP that says only that packets can be sent. */
  readonly state: 'UP' | 'DOWN';
  readonly sinceMicros: number;
  /** Null when nothing went wrong yet. */
  readonly lastError: string | null;
  readonly lastErrorMicros: number | null;
}

export class Health {
  /** Resolves when it was up, or had failed, for the first time. */
  readonly tried: Promise<void>;
  private wasTried: () => void = () => undefined;
  private state: 'UP' | 'DOWN' = 'DOWN';
  private sinceMs = Date.now();
  private lastError: string | null = null;
  /** Logged since it was up. */
  private loggedError: string | null = null;
  private lastErrorMs: number | null = null;

  constructor(
    private readonly name: string,
    private readonly log: Logger,
  ) {
    this.tried = new Promise((resolve) => (this.wasTried = resolve));
  }

  get status(): HealthStatus {
    return {
      state: this.state,
      sinceMicros: this.sinceMs * 1000,
      lastError: this.lastError,
      lastErrorMicros: this.lastErrorMs === null ? null : this.lastErrorMs * 1000,
    };
  }

  become(state: 'UP' | 'DOWN'): void {
    this.wasTried();
    if (state !== this.state) this.sinceMs = Date.now();
    this.state = state;
    if (state === 'UP') this.loggedError = null;
  }

  /** The same trouble again and again is logged once. */
  failed(error: Error): void {
    const text = errorText(error);
    this.wasTried();
    if (text !== this.loggedError) this.log.warn(`export to ${this.name}: ${text}`);
    this.loggedError = text;
    this.lastError = text;
    this.lastErrorMs = Date.now();
  }
}

/** Node names an attempt over several addresses by their errors only. */
function errorText(error: Error): string {
  if (error instanceof AggregateError) return error.errors.map((one: unknown) => (one as Error).message).join('; ');
  return error.message;
}
