/** The objects that GraphQL resolvers get and give: the live state's own, and the few shapes made for the schema. */
import type { HostStatus } from '../../correlate/live-state.js';
import type { Exchange } from '../../correlate/exchange.js';
import type { Container, Flow, Process, User } from '../../correlate/model.js';
import type { ExporterStatus } from '../../export/index.js';
import type { Usage } from '../../correlate/usage.js';
import type { Caller, Page, Queries } from '../query/index.js';
import type { Sample } from '../stream/index.js';

/** What every resolver can ask. */
export interface RequestContext {
  readonly queries: Queries;
  readonly caller: Caller;
  host(): HostView;
}

/** The host's status with what only the API knows. */
export interface HostView extends HostStatus {
  readonly subscribers: number;
  readonly exporters: readonly ExporterStatus[];
}

export type FlowPage = Page<Flow>;
export type ProcessPage = Page<Process>;
export type UserPage = Page<User>;
export type ExchangePage = Page<Exchange>;
export type ContainerPage = Page<Container>;
export type AnyPage = FlowPage | ProcessPage | UserPage | ContainerPage | ExchangePage;

export interface FlowEventView {
  readonly kind: 'STARTED' | 'UPDATED' | 'ENDED';
  readonly flow: Flow;
}
export interface ProcessEventView {
  readonly kind: 'STARTED' | 'EXECUTED' | 'EXITED';
  readonly process: Process;
}
export interface ExchangeEventView {
  readonly kind: 'STARTED' | 'ENDED';
  readonly exchange: Exchange;
}
/** The events of one window. */
export interface EventList {
  readonly events: readonly (FlowEventView | ProcessEventView | ExchangeEventView)[];
  readonly dropped: number;
}

/** A span of time, in µs. */
export type TimeWindowView = Usage['window'];

/** The samples of one window. */
export interface SampleList {
  readonly samples: readonly Sample[];
  readonly dropped: number;
}
