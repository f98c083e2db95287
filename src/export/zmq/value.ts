/** How ntopng wants the value of an element: seconds for times, fractions for latencies only. */
import type { Element } from '../element.js';
import type { Field } from '../template.js';

/** Where a value is and what it is divided by; texts have no divisor. */
export interface Source {
  readonly element: Element;
  readonly isText: boolean;
  readonly index: number;
  readonly divisor: number;
  readonly hasFraction: boolean;
}

export function sourcesOf(fields: readonly Field[]): Source[] {
  return fields.flatMap(({ element }) => {
    const { place } = element;
    if (place === null) return [];
    return [
      {
        element,
        isText: place.kind === 'text',
        index: place.index,
        divisor: divisorOf(element),
        hasFraction: isLatency(element),
      },
    ];
  });
}

/** Times are µs in a record. */
function divisorOf({ isUptime, dataType }: Element): number {
  if (isUptime || dataType === 'dateTimeSeconds') return 1e6;
  return dataType === 'dateTimeMilliseconds' ? 1e3 : 1;
}

function isLatency({ name }: Element): boolean {
  return name.endsWith('_LATENCY_MS');
}

/** A value as it is told; `NaN` stays. */
export function scaled({ divisor, hasFraction }: Source, value: number): number {
  if (divisor !== 1) return Math.floor(value / divisor);
  return hasFraction ? Math.round(value * 1000) / 1000 : Math.round(value);
}
