/** CPU of pushing events to many subscribers: 1000 WebSocket clients, 1000 events a second, windows of 100 ms. */
import { apiOver, cpuMsOf, isMain, Load, stateOf } from './lib/api-parts.js';

const CLIENTS = 1000;
const EVENTS_PER_SECOND = 1000;
const SECONDS = 10;
const QUERY = `subscription {
  flowEvents(windowMs: 100) {
    dropped
    events {
      kind
      flow {
        id protocol state startTime
        client { address port process { pid name } sent { octets payloadBytes } }
        server { address port process { pid name } sent { octets payloadBytes } }
      }
    }
  }
}`;

export async function run(): Promise<void> {
  process.env['NODE_ENV'] = 'production';
  const state = stateOf(2000);
  const flows = [...state.flows()];
  const api = await apiOver(state);
  const load = new Load();
  await load.order({ kind: 'subscribe', port: api.port, clients: CLIENTS, query: QUERY });
  while (api.stats().subscribers < CLIENTS) await tick(20);
  await emitFor(2);
  const before = await load.order({ kind: 'count' });
  const start = performance.now();
  const cpuMs = await cpuMsOf(() => emitFor(SECONDS));
  const wallMs = performance.now() - start;
  const after = await load.order({ kind: 'count' });
  const bytes = after.kind === 'counted' && before.kind === 'counted' ? after.bytes - before.bytes : NaN;
  process.stdout.write(
    `Fan-out, ${CLIENTS} subscribers x ${EVENTS_PER_SECOND} events/s in windows of 100 ms: ${((100 * cpuMs) / wallMs).toFixed(0)} % of a core ` +
      `(aim <= 30 %), ${(bytes / 1e6 / (wallMs / 1000)).toFixed(0)} MB/s, ${api.stats().dropped} events dropped\n`,
  );
  load.stop();
  await api.stop();

  /** Ten times a second a tenth of the events, so that the timer itself costs nothing. */
  async function emitFor(seconds: number): Promise<void> {
    const startMs = performance.now();
    let emitted = 0;
    while (performance.now() - startMs < seconds * 1000) {
      const due = Math.floor(((performance.now() - startMs) / 1000) * EVENTS_PER_SECOND);
      for (; emitted < due; emitted++) {
        const flow = flows[emitted % flows.length];
        if (flow !== undefined) state.emit({ kind: 'flow', event: 'STARTED', flow });
      }
      await tick(10);
    }
  }
}

function tick(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

if (isMain(import.meta.url)) await run();
