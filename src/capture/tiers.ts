/** Which part of capture runs, and why not more. */
export interface TierStatus {
  readonly name: 'lifecycle' | 'messages' | 'packets' | 'forwarded' | 'resources';
  readonly state: 'ON' | 'OFF' | 'UNAVAILABLE' | 'SHED';
  /** Why it is not on, or which part of it is not, with the cure where there is one; null when all of it is on. */
  readonly reason: string | null;
}

/** Whether it is known what a run of a program takes: not yet, measured now and then, or not to be measured here. */
export type Calibration = 'PENDING' | 'MEASURED' | 'CONSTANT';

/** What one kernel program costs. */
export interface ProgramCost {
  /** What it hangs on, such as `sock_send_length`. */
  readonly name: string;
  /** Since the start. */
  readonly runs: number;
  /** In the last second; null before the first. */
  readonly runsPerSecond: number | null;
  /** Of one run, in ns; null before the first second. */
  readonly costNs: number | null;
  /** Of one core, in the last second; null before the first. */
  readonly loadPercent: number | null;
}

/** What the kernel programs cost, and may cost. */
export interface GovernorStatus {
  /** Of one core; 0: nothing is put off. */
  readonly budgetPercent: number;
  /** Of one core, in the last second, all programs; null before the first. */
  readonly loadPercent: number | null;
  readonly calibration: Calibration;
  /** Why costs are not measured; null when they are. */
  readonly calibrationReason: string | null;
  readonly programs: readonly ProgramCost[];
}

/** kernel.task_delayacct: on before the agent, switched on by it (processes that were there are not accounted), or off. */
export type DelayAccounting = 'ON' | 'SWITCHED_ON' | 'OFF';
