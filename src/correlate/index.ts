/** The import surface of the correlator. */
export { Correlator, type CaptureStatus, type CorrelatorOptions, type HostFacts } from './correlator.js';
export { exchangeNotes, type Exchange, type ExchangeNoteCode, type ExchangeOutcome, type Thread } from './exchange.js';
export { exchangesOf, type ExchangeLimits } from './exchange-table.js';
export type { FlowLimits } from './flow-table.js';
export type {
  Fact,
  FactListener,
  Governor,
  HostStatus,
  ListeningSocket,
  HostTier,
  LiveState,
  Loss,
  ProcessUsage,
  ShedSpan,
  TierStatus,
} from './live-state.js';
export * from './model.js';
export type { Meter } from './meter.js';
export type { ProcessLimits } from './process-table.js';
export { HOST_KEY } from './series/recorder.js';
export type { Group, GroupKind } from './series/group.js';
export type { SeriesLimits, SeriesStore } from './series/store.js';
export type { Usage } from './usage.js';
export type { UserResolver } from './users.js';
