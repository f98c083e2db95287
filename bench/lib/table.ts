/** Prints lines of cells in columns; the first column to the left, the others to the right. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, cell.length)));
  const line = (row: readonly string[]): string =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  ');
  return rows.map((row) => line(row).trimEnd()).join('\n');
}

/** 0.98765 as `0.988` */
export function ratio(value: number): string {
  return value.toFixed(3);
}

/** Nanoseconds with their sign, in a unit that reads well. */
export function addedTime(ns: number): string {
  const sign = ns < 0 ? '-' : '+';
  const size = Math.abs(ns);
  return size < 10_000 ? `${sign}${size.toFixed(0)} ns` : `${sign}${(size / 1000).toFixed(1)} µs`;
}

/** Says whether an aim was met. */
export function reached(met: boolean): string {
  return met ? 'reached' : 'MISSED';
}
