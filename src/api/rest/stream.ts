import { ProcflowError } from '../../errors.js';
import type { Framing } from '../http/http-sink.js';
import { stringify } from '../json.js';
import type { EventPosition, GroupSpec, StreamEvent, StreamName } from '../stream/index.js';
import type { Json } from './shape.js';

const SSE: Framing = {
  contentType: 'text/event-stream; charset=utf-8',
  // How long a client waits before it connects again.
  start: 'retry: 2000\n\n',
  frame: (payload) => [payload],
  ping: ': ping\n\n',
  end: (reason) => `event: end\ndata: ${JSON.stringify({ reason })}\n\n`,
};

const NDJSON: Framing = {
  contentType: 'application/x-ndjson; charset=utf-8',
  start: '',
  frame: (payload) => [payload],
  // Not every reader takes an empty line.
  ping: '',
  end: (reason) => `${JSON.stringify({ event: 'end', reason })}\n`,
};

export type StreamFormat = 'sse' | 'ndjson';

/** @throws ProcflowError NOT_ACCEPTABLE */
export function formatOf(accept: string | undefined): StreamFormat {
  const types = (accept ?? '*/*').split(',').map((part) => part.split(';')[0]?.trim().toLowerCase());
  if (types.includes('application/x-ndjson') || types.includes('application/ndjson')) return 'ndjson';
  if (types.some((type) => type === 'text/event-stream' || type === '*/*' || type === 'text/*')) return 'sse';
  throw new ProcflowError('NOT_ACCEPTABLE', 'streams are text/event-stream or application/x-ndjson');
}

export function framingOf(format: StreamFormat): Framing {
  return format === 'sse' ? SSE : NDJSON;
}

/** Renders windows as SSE or NDJSON text: all events of a window in one piece. */
export function rendering<T>(
  format: StreamFormat,
  word: StreamName,
  run: string,
  shape: (row: T) => Json,
): Pick<GroupSpec<T>, 'render' | 'renderDropped'> {
  const one = format === 'sse' ? sseEvent : ndjsonEvent;
  const lost = (count: number): string =>
    format === 'sse' ? `event: dropped\ndata: {"count":${count}}\n\n` : `{"event":"dropped","count":${count}}\n`;
  const render = (events: readonly StreamEvent<T>[], dropped: number): Buffer => {
    let text = dropped > 0 ? lost(dropped) : '';
    for (const { kind, row, sequence } of events) {
      const id = sequence === null ? null : `${run}-${sequence}`;
      text += one(kind.toLowerCase(), id, word, stringify(shape(row)));
    }
    return Buffer.from(text);
  };
  return { render, renderDropped: (count) => Buffer.from(lost(count)) };
}

function sseEvent(event: string, id: string | null, _word: string, json: string): string {
  return `${id === null ? '' : `id: ${id}\n`}event: ${event}\ndata: ${json}\n\n`;
}

function ndjsonEvent(event: string, id: string | null, word: string, json: string): string {
  return `{"event":"${event}",${id === null ? '' : `"id":"${id}",`}"${word}":${json}}\n`;
}

/** @throws ProcflowError INVALID_ARGUMENT for what is no event id of ours */
export function positionOf(lastEventId: string | undefined): EventPosition | undefined {
  if (lastEventId === undefined || lastEventId === '') return undefined;
  const parts = /^([0-9a-z]{1,16})-(\d{1,15})$/.exec(lastEventId);
  if (parts?.[1] === undefined) {
    const message = 'Last-Event-ID is not the id of one of our events';
    throw new ProcflowError('INVALID_ARGUMENT', message, { errors: [{ parameter: 'Last-Event-ID', message }] });
  }
  return { run: parts[1], sequence: Number(parts[2]) };
}
