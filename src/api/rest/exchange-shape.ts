/** Exchanges and usage as REST shows them. */
import { exchangeNotes, type Exchange } from '../../correlate/exchange.js';
import type { ProcessUsage } from '../../correlate/live-state.js';
import { EXCHANGE_NOTE_TEXTS } from '../graphql/note-texts.js';
import { formatTime } from '../query/index.js';
import { count, processBrief, time, usageShape, type Json, type ShapeContext } from './shape.js';

export function exchangeShape(exchange: Exchange, context: ShapeContext): Json {
  const { flow, client, server, thread, usage, threadUsage } = exchange;
  return {
    id: exchange.id,
    host: context.host,
    flow: {
      id: flow.id,
      client: { address: flow.client.address, port: flow.client.port },
      server: { address: flow.server.address, port: flow.server.port },
    },
    ordinal: exchange.ordinal,
    protocol: exchange.protocol,
    method: exchange.method,
    target: exchange.target,
    hostHeader: exchange.hostHeader,
    userAgent: exchange.userAgent,
    status: exchange.status,
    outcome: exchange.outcome,
    startTime: formatTime(exchange.startMicros),
    requestEndTime: time(exchange.requestEndMicros),
    firstResponseByteTime: time(exchange.firstResponseByteMicros),
    endTime: time(exchange.endMicros),
    durationMs: exchange.durationMs,
    serverTimeMs: exchange.serverTimeMs,
    requestBytes: count(exchange.requestBytes),
    responseBytes: count(exchange.responseBytes),
    client: client && processBrief(client, context),
    server: server && processBrief(server, context),
    thread: thread && { tid: thread.tid, name: thread.name },
    usage: usageShape(usage),
    threadUsage: usageShape(threadUsage),
    notes: exchangeNotes(exchange).map((code) => ({ code, description: EXCHANGE_NOTE_TEXTS[code] })),
  };
}

/** With what else ran meanwhile. */
export function exchangeWithConcurrent(
  exchange: Exchange,
  concurrent: readonly ProcessUsage[] | null,
  context: ShapeContext,
): Json {
  return {
    ...exchangeShape(exchange, context),
    concurrentProcesses:
      concurrent &&
      concurrent.map(({ process, usage }) => ({ process: processBrief(process, context), usage: usageShape(usage) })),
  };
}
