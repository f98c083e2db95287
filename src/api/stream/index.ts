export { Hub, type EventPosition, type Streamed, type StreamName, type Subscribed } from './hub.js';
export type { EventKind, GroupSpec, StreamEvent } from './group.js';
export type { EndReason, Sink } from './subscriber.js';
