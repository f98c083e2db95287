export { Hub, type EventPosition, type Streamed, type StreamName, type Subscribed } from './hub.js';
export type { EventKind, GroupSpec, StreamEvent } from './group.js';
export { checkInterval, SamplePicker, sampleSpec, type Sample } from './samples.js';
export type { EndReason, Sink } from './subscriber.js';
