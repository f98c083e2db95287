/** Which part of capture runs, and why not more. */
export interface TierStatus {
  readonly name: 'lifecycle' | 'messages' | 'packets' | 'forwarded' | 'resources';
  readonly state: 'ON' | 'OFF' | 'UNAVAILABLE' | 'SHED';
  /** Why it is not on, or which part of it is not, with the cure where there is one; null when all of it is on. */
  readonly reason: string | null;
}

/** kernel.task_delayacct: on before the agent, switched on by it (processes that were there are not accounted), or off. */
export type DelayAccounting = 'ON' | 'SWITCHED_ON' | 'OFF';
