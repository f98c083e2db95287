import { watch } from 'node:fs';
import { startApi, TokensFile, type Api } from '../api/index.js';
import type { Config } from '../config/index.js';
import { Correlator, type HostTier } from '../correlate/index.js';
import { Exporters } from '../export/index.js';
import type { Logger } from '../log.js';
import { createLog } from '../log.js';
import { captureFeed, replayFeed, type Feed } from './feed.js';

export interface AgentOptions {
  /** A recording to feed through instead of capturing. */
  readonly replay?: { readonly file: string; readonly speed: 'real' | 'full' };
  readonly log?: Logger;
  /** Registers what is told when the configuration was read again; gives back what takes it off the list. */
  readonly onReload?: (listener: (config: Config) => void) => () => void;
}

/** Timeouts fall due also while no batch comes. */
const TICK_MS = 250;
/** How long a replay, and how long capture, waits for collectors to be there before the first flow. */
const REACH_COLLECTORS_MS = { replay: 10_000, capture: 1000 };
/** The other end of a local flow is heard of within this, or at the next poll. */
const MATE_WAIT_MS = 1500;

/**
 * Runs the agent until `signal` is aborted, then stops its parts in order and resolves.
 * @throws ProcflowError when it cannot start, or when capture ends by itself
 */
export async function runAgent(config: Config, options: AgentOptions, signal: AbortSignal): Promise<void> {
  const log = options.log ?? createLog(config.log);
  const { replay } = options;
  const feed = replay === undefined ? captureFeed(config, log) : await replayFeed(replay.file, replay.speed, log);
  const correlator = makeCorrelator(config, feed, log);
  const exporters = new Exporters({
    config,
    state: correlator,
    host: { id: feed.host.hostId, name: feed.host.hostname },
    log,
  });
  const api = await startApi({
    state: correlator,
    exporters: () => exporters.statuses(),
    config: config.api,
    tokens: new TokensFile(config.api.tokensFile),
    ready,
    log,
  });
  exporters.start();
  // What flows before a connection is made is lost to its collector: a moment spares nearly all of that.
  await exporters.tried(replay === undefined ? REACH_COLLECTORS_MS.capture : REACH_COLLECTORS_MS.replay);

  let isReady = false;
  function ready(): boolean {
    return isReady;
  }

  let stopReload: (() => void) | undefined;
  const accounts = watchAccounts(correlator);
  const ticks = setInterval(() => {
    const now = feed.nowBootNs();
    if (now !== null) correlator.tick(now);
  }, TICK_MS);
  try {
    await new Promise<void>((resolve, reject) => {
      if (signal.aborted) {
        resolve();
        return;
      }
      signal.addEventListener('abort', () => resolve(), { once: true });
      feed.start(
        correlator,
        [api.port, ...exporters.ownPorts],
        () => {
          if (isReady) return;
          isReady = true;
          announce(log, feed, api);
        },
        reject,
      );
      stopReload = options.onReload?.((changed) => {
        feed.reconfigure(changed);
        correlator.reconfigure(changed.processes, changed.exchanges);
      });
    });
  } finally {
    clearInterval(ticks);
    accounts();
    stopReload?.();
    isReady = false;
    // First the source, so that what it still has is told; then live flows end; then the doors close.
    await feed.stop();
    await correlator.settled();
    correlator.close('FORCED');
    await Promise.all([exporters.close(), api.stop()]);
  }
}

function makeCorrelator(config: Config, feed: Feed, log: Logger): Correlator {
  const { hostId, hostname, bootId, kernel, agentVersion, startMicros } = feed.host;
  return new Correlator({
    host: { id: hostId, name: hostname, bootId, kernel, agentVersion, agentPid: process.pid, startMicros },
    flows: config.flows,
    processes: config.processes,
    exchanges: config.exchanges,
    series: { ...config.series, sampleIntervalMs: config.capture.sampleIntervalMs },
    pollIntervalMs: config.capture.pollIntervalMs,
    resolveUsers: feed.resolveUsers,
    capture: () => feed.status(),
    onTier: (tier) => logTier(log, tier),
    ownersHidden: feed.ownersHidden,
    clock: feed.clock,
    mateWaitMs: Math.max(MATE_WAIT_MS, 1.5 * config.capture.pollIntervalMs),
  });
}

function logTier(log: Logger, { name, state, reason }: HostTier): void {
  const what = name === 'messages' ? 'the messages tier, for TCP' : `the ${name} tier`;
  if (state === 'SHED') log.warn({ tier: name }, `put off ${what}: ${reason ?? 'no reason is known'}`);
  else log.info({ tier: name, state }, `${what}: ${state === 'ON' ? 'runs again' : 'does not run any more'}`);
}

/** A new account, or a renamed one, shows at once. @returns what ends the watch */
function watchAccounts(correlator: Correlator): () => void {
  try {
    // The file is replaced, not written: so its directory is watched.
    const watcher = watch('/etc', (_event, name) => {
      if (name === 'passwd') correlator.users.invalidate();
    });
    watcher.on('error', () => watcher.close());
    return () => watcher.close();
  } catch {
    return () => undefined; // names are looked up again every minute anyway
  }
}

function announce(log: Logger, feed: Feed, api: Api): void {
  const { source, sourceReason, tiers } = feed.status();
  const on = tiers.filter(({ state }) => state === 'ON').map(({ name }) => name);
  log.info({ source, tiers: on.join(',') || 'none' }, `procflow ${feed.host.agentVersion} is ready`);
  if (sourceReason !== null) log.warn(`capture: ${source}: ${sourceReason}`);
  for (const address of api.addresses) log.info(`listening on ${address}`);
}
