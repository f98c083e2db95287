/** Opens the best source that the host allows, and says what it is and why it is not a better one. */
import type { Config } from '../config/index.js';
import { ProcflowError } from '../errors.js';
import { loadAddon, type NativeCapture, type NativeOptions } from './addon.js';
import { agentCapabilities, type AgentCapabilities } from './capabilities.js';
import { nativeFilter, nativePackets } from './filter.js';
import type { DelayAccounting, GovernorStatus, TierStatus } from './tiers.js';

type CaptureConfig = Config['capture'];

export interface CaptureStatus {
  readonly source: 'ebpf' | 'ebpf-limited' | 'procfs';
  /** Why it is not a better one; null when it is the best. */
  readonly sourceReason: string | null;
  readonly tiers: readonly TierStatus[];
  readonly lastPollMs: number | null;
  readonly pollIntervalMs: number | null;
  readonly sampleIntervalMs: number | null;
  readonly delayAccounting: DelayAccounting | null;
  readonly programRuns: Readonly<Record<string, number>>;
  /** Null without kernel programs. */
  readonly governor: GovernorStatus | null;
  readonly agentCapabilities: AgentCapabilities;
  /** What went wrong in the last poll, or in the source as a whole; null when nothing did. */
  readonly error: string | null;
}

export interface CaptureOptions {
  readonly config: CaptureConfig;
  /** What the kernel programs may take, in percent of one core; 0: nothing is put off. */
  readonly budgetPercent: number;
  readonly ownPorts: readonly number[];
  readonly onBatch: (batch: ArrayBuffer) => void;
  /** The source ended by itself; nothing comes any more. */
  readonly onFailure: (reason: string) => void;
}

/** What the source says of itself, as JSON. */
interface NativeStatus {
  readonly lastPollMs?: number;
  readonly pollIntervalMs?: number;
  readonly sampleIntervalMs?: number;
  readonly delayAccounting?: DelayAccounting;
  readonly programRuns?: Record<string, number>;
  readonly governor?: GovernorStatus;
  readonly error?: string | null;
}

const BETTER_SOURCE_OFF = 'needs the ebpf source';
const SAMPLES_ONLY = 'only samples, from /proc: what is spent in the window of a flow needs the ebpf source';

export class Capture {
  private stopped: Promise<void> | undefined;

  private constructor(
    private readonly native: NativeCapture,
    private readonly kind: 'ebpf' | 'procfs',
    private readonly reason: string | null,
    private readonly options: CaptureOptions,
  ) {}

  /**
   * Starts capturing; batches come on later turns of the event loop.
   * @throws ProcflowError CAPTURE_UNAVAILABLE when the source that the configuration demands cannot run here
   */
  static start(options: CaptureOptions): Capture {
    const { Capture: Native } = loadAddon();
    const { config, onBatch, onFailure } = options;
    const native = nativeOptions(options);
    let reason: string | null = config.source === 'procfs' ? 'chosen by capture.source' : null;
    if (config.source !== 'procfs') {
      try {
        return new Capture(new Native('ebpf', native, onBatch, onFailure), 'ebpf', null, options);
      } catch (error) {
        reason = (error as Error).message;
        if (config.source === 'ebpf') {
          throw new ProcflowError('CAPTURE_UNAVAILABLE', `capture.source is ebpf, but ${reason}`, { cause: error });
        }
      }
    }
    try {
      return new Capture(new Native('procfs', native, onBatch, onFailure), 'procfs', reason, options);
    } catch (error) {
      throw new ProcflowError('CAPTURE_UNAVAILABLE', `no source can run here: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }

  status(): CaptureStatus {
    const native = JSON.parse(this.native.status()) as NativeStatus;
    const tiers = this.tiers();
    const missing = tiers.find(({ name, state }) => name === 'messages' && state !== 'ON' && state !== 'SHED');
    const limited = this.kind === 'ebpf' && missing !== undefined;
    return {
      source: limited ? 'ebpf-limited' : this.kind,
      sourceReason: limited ? missing.reason : this.reason,
      tiers,
      lastPollMs: native.lastPollMs ?? null,
      pollIntervalMs: native.pollIntervalMs ?? null,
      sampleIntervalMs: native.sampleIntervalMs ?? null,
      delayAccounting: native.delayAccounting ?? null,
      programRuns: native.programRuns ?? {},
      governor: native.governor ?? null,
      agentCapabilities: agentCapabilities(this.native.thread()),
      error: native.error ?? null,
    };
  }

  /**
   * Gives up, for the whole process and for good, the privileges that are not needed once all is open: files and sockets
   * that only root may make are to be made before.
   * @throws Error with the reason when that is not wholly done
   */
  dropPrivileges(): void {
    const thread = this.native.thread();
    if (thread !== null) loadAddon().dropPrivileges(thread);
  }

  /** Takes a new filter for the sockets that open from now on. @throws ProcflowError CONFIG_INVALID */
  setFilter(config: CaptureConfig): void {
    this.native.setFilter(nativeOptions({ ...this.options, config }).filter);
  }

  /** Takes a new budget: see {@link CaptureOptions.budgetPercent}. */
  setBudget(percent: number): void {
    this.native.setBudget(percent);
  }

  /**
   * Switches the packets tier, or the messages tier as far as TCP goes, off or on again while capture runs; `reason` is
   * what status says of it when it is off. The governor does so by itself.
   */
  setTier(name: 'packets' | 'messages', on: boolean, reason: string): void {
    this.native.setTier(name, on, reason);
  }

  /** Stops the source. What it had not yet delivered still comes, before the promise resolves. */
  stop(): Promise<void> {
    this.stopped ??= new Promise((resolve) => this.native.stop(resolve));
    return this.stopped;
  }

  private tiers(): TierStatus[] {
    if (this.kind === 'procfs') {
      return [
        { name: 'lifecycle', state: 'UNAVAILABLE', reason: this.reason ?? BETTER_SOURCE_OFF },
        { name: 'messages', state: 'UNAVAILABLE', reason: BETTER_SOURCE_OFF },
        { name: 'packets', state: 'UNAVAILABLE', reason: BETTER_SOURCE_OFF },
        {
          name: 'resources',
          state: 'UNAVAILABLE',
          reason: this.options.config.resources ? SAMPLES_ONLY : BETTER_SOURCE_OFF,
        },
      ];
    }
    const { messages, packets, resources } = this.options.config;
    const wanted = { lifecycle: true, messages, packets: packets.enabled, resources };
    return this.native.tiers().map(({ name, on, available, reason }) => ({
      name,
      state: on ? 'ON' : available ? 'SHED' : wanted[name] ? 'UNAVAILABLE' : 'OFF',
      reason: reason === '' ? null : reason,
    }));
  }
}

function nativeOptions(options: CaptureOptions): NativeOptions {
  const { config, ownPorts, budgetPercent } = options;
  const { source: _, filter, packets, cgroupRoot, keepOwnTraffic, ...plain } = config;
  return {
    ...plain,
    budgetPercent,
    cgroupRoot: cgroupRoot ?? '',
    filter: nativeFilter(filter, { keepOwnTraffic, ownPorts, cgroupRoot }),
    packets: nativePackets(packets, cgroupRoot),
  };
}
