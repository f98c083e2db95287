/** Which part of capture runs, and why not more. */
export interface TierStatus {
  readonly name: 'lifecycle' | 'messages' | 'packets' | 'forwarded' | 'resources';
  readonly state: 'ON' | 'OFF' | 'UNAVAILABLE' | 'SHED';
  /** Why it is not on, or which part of it is not, with the cure where there is one; null when all of it is on. */
  readonly reason: string | null;
}
