/** The import surface of the correlator. */
export { Correlator, type CaptureStatus, type CorrelatorOptions, type HostFacts } from './correlator.js';
export type { FlowLimits } from './flow-table.js';
export type { Fact, FactListener, HostStatus, LiveState, Loss, TierStatus } from './live-state.js';
export * from './model.js';
export type { ProcessLimits } from './process-table.js';
export type { UserResolver } from './users.js';
