/** Samples as one group of subscribers gets them: of the processes it wants, as often as it wants. */
import type { Process } from '../../correlate/model.js';
import { Movement } from '../../correlate/movement.js';
import { Reading, usageBetween, type Usage } from '../../correlate/usage.js';
import { ProcflowError } from '../../errors.js';
import type { Filter, NetworkUsage } from '../query/index.js';
import type { GroupSpec } from './group.js';

/** What a process spent and moved since its sample before. */
export interface Sample {
  readonly process: Process;
  readonly usage: Usage;
  readonly network: NetworkUsage;
}

interface Given {
  readonly reading: Reading;
  readonly moved: Movement;
}

export class SamplePicker {
  /** What each process had spent and moved at the sample that was given last. */
  readonly #given = new WeakMap<Process, Given>();

  constructor(
    private readonly filter: Filter<Process>,
    /** How far the samples of a process are apart; null takes each. */
    private readonly intervalMs: number | null,
  ) {}

  /** The sample to give of a process that was sampled just now; null when it is not wanted, not due, or the first. */
  pick(process: Process): Sample | null {
    const { meter } = process;
    const latest = meter?.latest ?? null;
    if (meter === null || latest === null || !this.filter.test(process)) return null;
    const given = this.#given.get(process);
    if (given === undefined) {
      this.#given.set(process, {
        reading: Object.assign(new Reading(), latest),
        moved: Object.assign(new Movement(), meter.moved),
      });
      return null;
    }
    // Ticks are not exact: one that comes a little early is not waited for a whole tick more.
    const slackMicros = meter.before === null ? 0 : (latest.micros - meter.before.micros) / 2;
    const sinceMicros = latest.micros - given.reading.micros;
    if (this.intervalMs !== null && sinceMicros + slackMicros < this.intervalMs * 1000) return null;
    const window = { from: given.reading.micros, to: latest.micros };
    const peak = given.reading.timeNs === meter.before?.timeNs ? latest.peakMemoryBytes : NaN;
    const sample = {
      process,
      usage: usageBetween(given.reading, latest, window, peak),
      network: {
        sentOctets: meter.moved.sentOctets - given.moved.sentOctets,
        receivedOctets: meter.moved.receivedOctets - given.moved.receivedOctets,
        sentPackets: meter.moved.sentPackets - given.moved.sentPackets,
        receivedPackets: meter.moved.receivedPackets - given.moved.receivedPackets,
        connections: process.connections,
      },
    };
    Object.assign(given.reading, latest);
    Object.assign(given.moved, meter.moved);
    return sample;
  }
}

const MIN_INTERVAL_MS = 10;
const MAX_INTERVAL_MS = 3_600_000;
/** Samples that were made together come in one piece, unless reading them takes longer than this. */
const WINDOW_MS = 100;

/** @throws ProcflowError INVALID_ARGUMENT */
export function checkInterval(intervalMs: number | null): number | null {
  if (intervalMs === null || (intervalMs >= MIN_INTERVAL_MS && intervalMs <= MAX_INTERVAL_MS)) return intervalMs;
  const message = `intervalMs is ${MIN_INTERVAL_MS} to ${MAX_INTERVAL_MS}, not ${intervalMs}`;
  throw new ProcflowError('INVALID_ARGUMENT', message, { errors: [{ parameter: 'intervalMs', message }] });
}

/** What a stream of samples is, but for how it is written. */
export function sampleSpec(picker: SamplePicker): Omit<GroupSpec<Sample>, 'render' | 'renderDropped'> {
  return {
    kinds: new Set(['SAMPLED']),
    // The picker has filtered already.
    filter: { test: () => true, isOpen: true, isLate: false },
    windowMs: WINDOW_MS,
    pick: (process) => picker.pick(process),
  };
}
