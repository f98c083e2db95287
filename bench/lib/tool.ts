import type { Cpus } from './cpus.js';

/** Something that watches traffic while it runs, and does not while it is stopped. */
export interface Tool {
  readonly name: string;
  /** Resolves when it watches. @throws Error when it cannot run here */
  start(cpus: Cpus): Promise<RunningTool>;
}

export interface RunningTool {
  readonly pid: number;
  /** Resolves when it has got used to the traffic, for those that do. */
  settled?(): Promise<void>;
  /** What it lost since its start; null when it does not tell. */
  losses(): Promise<number | null>;
  /** Resolves when it is gone. */
  stop(): Promise<void>;
}
