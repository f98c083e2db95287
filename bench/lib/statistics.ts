/** The middle half of some measurements. */
export interface Quartiles {
  readonly low: number;
  readonly median: number;
  readonly high: number;
}

/** @throws Error when there are no values */
export function quartiles(values: readonly number[]): Quartiles {
  const sorted = [...values].sort((a, b) => a - b);
  return { low: quantile(sorted, 0.25), median: quantile(sorted, 0.5), high: quantile(sorted, 0.75) };
}

function quantile(sorted: readonly number[], share: number): number {
  const position = (sorted.length - 1) * share;
  const below = sorted[Math.floor(position)];
  const above = sorted[Math.ceil(position)];
  if (below === undefined || above === undefined) throw new Error('there is nothing to take a median of');
  return below + (above - below) * (position - Math.floor(position));
}
