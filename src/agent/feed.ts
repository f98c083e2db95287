/** What feeds the correlator: live capture, or a recording. */
import { setTimeout as delay } from 'node:timers/promises';
import {
  agentCapabilities,
  Capture,
  decodeBatch,
  effectiveCapabilities,
  hostFacts,
  loadAddon,
  readRecording,
  readRecordingHeader,
  type RecordedHost,
} from '../capture/index.js';
import type { Config } from '../config/index.js';
import type { CaptureStatus, Correlator, UserResolver } from '../correlate/index.js';
import { ProcflowError } from '../errors.js';
import type { Logger } from '../log.js';
import { dropPrivileges } from './privileges.js';
import { AGENT_VERSION } from './version.js';

export interface Feed {
  readonly host: RecordedHost;
  /** `batch`: time is what the batches say, not the wall clock. */
  readonly clock: 'wall' | 'batch';
  readonly resolveUsers: UserResolver;
  /** CLOCK_BOOTTIME now, by the last batch's reading of both clocks; null when time is only what the batches say. */
  nowBootNs(): number | null;
  /** Some processes cannot be seen, because the agent lacks the privileges. */
  readonly ownersHidden: boolean;
  status(): CaptureStatus;
  /**
   * Starts to feed. `fail` is called when nothing more can come though nobody stopped it; `ready` once what was there
   * at the start is known.
   */
  start(correlator: Correlator, ownPorts: readonly number[], ready: () => void, fail: (reason: Error) => void): void;
  /** Takes over what may be configured anew while it runs. */
  reconfigure(config: Pick<Config, 'capture' | 'governor'>): void;
  /** Stops; what was under way is fed first. */
  stop(): Promise<void>;
}

function notStarted(): CaptureStatus {
  return {
    source: 'ebpf',
    sourceReason: 'not started yet',
    tiers: [],
    programRuns: {},
    governor: null,
    lastPollMs: null,
    pollIntervalMs: null,
    sampleIntervalMs: null,
    delayAccounting: null,
    agentCapabilities: agentCapabilities(null),
  };
}

/** What it takes to see which process holds a socket. */
const SEES_OWNERS = ['CAP_SYS_PTRACE', 'CAP_DAC_READ_SEARCH'];

export function captureFeed(settings: Pick<Config, 'capture' | 'governor'>, log: Logger): Feed {
  const { capture: config, governor } = settings;
  let capture: Capture | undefined;
  let loggedError: string | null = null;
  let bootToUnixNs: number | null = null;
  const facts = hostFacts();
  return {
    host: { ...facts, agentVersion: AGENT_VERSION, source: config.source, startMicros: Date.now() * 1000 },
    clock: 'wall',
    nowBootNs: () => (bootToUnixNs === null ? null : Date.now() * 1e6 - bootToUnixNs),
    resolveUsers: (uids) => loadAddon().resolveUsers(uids),
    ownersHidden: !SEES_OWNERS.every((name) => effectiveCapabilities()?.includes(name)),
    status: () => {
      if (capture === undefined) return notStarted();
      const { error, ...status } = capture.status();
      if (error !== null && error !== loggedError) log.warn(`capture: ${error}`);
      loggedError = error;
      return status;
    },
    start: (correlator, ownPorts, ready, fail) => {
      let first = true;
      capture = Capture.start({
        config,
        budgetPercent: governor.budgetPercent,
        ownPorts,
        onBatch: (buffer) => {
          const batch = decodeBatch(buffer);
          ({ bootToUnixNs } = batch);
          correlator.apply(batch);
          if (!first) return;
          // What was there at the start is in the first batch; a host that is busy from then on must not delay us.
          first = false;
          correlator.flush();
          ready();
        },
        onFailure: (reason) => fail(new ProcflowError('CAPTURE_UNAVAILABLE', `capture ended: ${reason}`)),
      });
      // The API listens already, and all programs are attached.
      dropPrivileges(capture, log);
    },
    reconfigure: (changed) => {
      capture?.setFilter(changed.capture);
      capture?.setBudget(changed.governor.budgetPercent);
    },
    stop: async () => capture?.stop(),
  };
}

export async function replayFeed(file: string, speed: 'real' | 'full', log: Logger): Promise<Feed> {
  const { host } = await readRecordingHeader(file);
  const stop = new AbortController();
  let finished: Promise<void> = Promise.resolve();
  // The accounts of another host are not this one's.
  const sameHost = host.hostId === hostFacts().hostId;
  return {
    host,
    clock: 'batch',
    nowBootNs: () => null,
    resolveUsers: (uids) => (sameHost ? loadAddon().resolveUsers(uids) : Promise.resolve(uids.map(() => null))),
    ownersHidden: false,
    status: () => ({ ...notStarted(), source: 'replay', sourceReason: `replays ${file}, recorded by ${host.source}` }),
    start: (correlator, _ownPorts, ready, fail) => {
      finished = play(correlator, ready, fail);
    },
    reconfigure: () => undefined,
    stop: async () => {
      stop.abort();
      await finished;
    },
  };

  async function play(correlator: Correlator, ready: () => void, fail: (reason: Error) => void): Promise<void> {
    let batches = 0;
    try {
      for await (const { batch } of readRecording(file, { speed, signal: stop.signal })) {
        correlator.apply(batch);
        batches++;
        if (speed === 'real') ready();
        else await correlator.settled();
      }
      log.info({ batches }, `replayed ${file}; its flows stay until the agent stops`);
    } catch (error) {
      // What came before the damage is good, and stays.
      log.error({ batches }, (error as Error).message);
      if (batches === 0) fail(error as Error);
    }
    await correlator.settled();
    // At full speed nobody is served a half-told story.
    await delay(0);
    ready();
  }
}
