/** Reading series: the steps that are asked for, and a track's values over them. */
import { COUNTER, COUNTERS, FIRST_NETWORK_COUNTER, LEVEL } from './columns.js';
import type { SeriesStore } from './store.js';
import type { Track } from './track.js';

/** Steps of one length that follow each other, aligned to Unix time. */
export interface Steps {
  readonly fromMicros: number;
  readonly toMicros: number;
  readonly stepMicros: number;
  readonly count: number;
}

/** Unless a step is asked for there are at most so many. */
const USUAL_STEPS = 1000;
/** Samples that came not so long ago are still going on; otherwise what flows moved says how far series reach. */
const LATE_SLOTS = 30;

/**
 * The steps between two times, as far as series are kept and complete. Without an end the last step is a whole one; a step
 * that is not asked for is as long as keeps their number usual.
 */
export function stepsOf(
  store: SeriesStore,
  asked: { readonly fromMicros: number | null; readonly toMicros: number | null; readonly stepMicros: number | null },
  nowMicros: number,
): Steps {
  const base = store.stepMicros;
  const end = store.microsOf(completeEnd(store));
  const oldest = nowMicros - store.kept * base;
  const from = Math.max(asked.fromMicros ?? oldest, oldest);
  const to = Math.min(asked.toMicros ?? end, end);
  const usual = Math.ceil((to - from) / USUAL_STEPS);
  const stepMicros = Math.max(1, Math.ceil((asked.stepMicros ?? usual) / base)) * base;
  const fromMicros = Math.floor(from / stepMicros) * stepMicros;
  const round = asked.toMicros === null ? Math.floor : Math.ceil;
  const count = Math.max(0, round((to - fromMicros) / stepMicros));
  return { fromMicros, toMicros: fromMicros + count * stepMicros, stepMicros, count };
}

/** The first slot that is not complete. */
function completeEnd(store: SeriesStore): number {
  const { sampled, moved } = store;
  return sampled.end > moved.end - LATE_SLOTS ? Math.min(sampled.end, moved.end) : moved.end;
}

type Values = readonly (number | null)[];

/** A track's values, one for each step; each list is made when it is read. Null where nothing is known. */
export class SeriesValues {
  constructor(
    private readonly store: SeriesStore,
    private readonly track: Track | null,
    private readonly steps: Steps,
  ) {}

  get cpuLoadPercent(): Values {
    return this.percents(COUNTER.cpuNs);
  }
  get userLoadPercent(): Values {
    return this.percents(COUNTER.userNs);
  }
  get systemLoadPercent(): Values {
    const user = this.userLoadPercent;
    return this.cpuLoadPercent.map((cpu, i) => (cpu === null ? null : Math.max(0, cpu - (user[i] ?? 0))));
  }
  get memoryBytes(): Values {
    return this.levels(LEVEL.memoryBytes);
  }
  get minorFaults(): Values {
    return this.amounts(COUNTER.minorFaults);
  }
  get majorFaults(): Values {
    return this.amounts(COUNTER.majorFaults);
  }
  get ioWaitPercent(): Values {
    return this.track?.ioWaitKnown === true ? this.percents(COUNTER.ioWaitNs) : this.unknown();
  }
  get readBytes(): Values {
    return this.wholeAmounts(COUNTER.readBytes);
  }
  get writtenBytes(): Values {
    return this.wholeAmounts(COUNTER.writtenBytes);
  }
  get voluntarySwitches(): Values {
    return this.wholeAmounts(COUNTER.voluntarySwitches);
  }
  get involuntarySwitches(): Values {
    return this.wholeAmounts(COUNTER.involuntarySwitches);
  }
  get sentOctets(): Values {
    return this.amounts(COUNTER.sentOctets);
  }
  get receivedOctets(): Values {
    return this.amounts(COUNTER.receivedOctets);
  }
  get sentPackets(): Values {
    return this.amounts(COUNTER.sentPackets);
  }
  get receivedPackets(): Values {
    return this.amounts(COUNTER.receivedPackets);
  }
  get connections(): Values {
    return this.levels(LEVEL.connections);
  }

  private amounts(counter: number): Values {
    return this.collect(counter, (sum) => sum);
  }

  /** Of counters that not every source has. */
  private wholeAmounts(counter: number): Values {
    return this.track?.isWhole === true ? this.amounts(counter) : this.unknown();
  }

  private percents(counter: number): Values {
    const slotNs = this.store.stepMicros * 1000;
    return this.collect(counter, (sum, slots) => (sum / (slots * slotNs)) * 100);
  }

  private collect(counter: number, value: (sum: number, slots: number) => number): Values {
    const { store, track } = this;
    if (track === null) return this.unknown();
    const coverage = counter < FIRST_NETWORK_COUNTER ? store.sampled : store.moved;
    return this.eachStep((slot, end) => {
      let sum = 0;
      let slots = 0;
      for (; slot < end; slot++) {
        if (!coverage.has(slot) || !store.holds(track, slot)) continue;
        sum += store.read(track, counter, slot);
        slots++;
      }
      return slots === 0 ? null : value(sum, slots);
    });
  }

  private levels(level: number): Values {
    const { store, track } = this;
    if (track === null) return this.unknown();
    const coverage = level === LEVEL.memoryBytes ? store.sampled : store.moved;
    return this.eachStep((slot, end) => {
      let highest = NaN;
      for (; slot < end; slot++) {
        if (!coverage.has(slot) || !store.holds(track, slot)) continue;
        const value = store.read(track, COUNTERS + level, slot);
        if (!(value <= highest) && !Number.isNaN(value)) highest = value;
      }
      return Number.isNaN(highest) ? null : highest;
    });
  }

  private eachStep(valueOf: (slot: number, end: number) => number | null): Values {
    const { fromMicros, stepMicros, count } = this.steps;
    const slots = stepMicros / this.store.stepMicros;
    const first = this.store.slotOf(fromMicros);
    return Array.from({ length: count }, (_, i) => valueOf(first + i * slots, first + (i + 1) * slots));
  }

  private unknown(): Values {
    return Array.from({ length: this.steps.count }, () => null);
  }
}
