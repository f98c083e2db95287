/** Sizes and durations as people write them. Each gives undefined for text that it does not know. */

const SIZE_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
  // As the kernel and most tools mean them.
  k: 1024,
  m: 1024 ** 2,
  g: 1024 ** 3,
};

const DURATION_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  ms: 1,
  s: 1e3,
  sec: 1e3,
  m: 60e3,
  min: 60e3,
  h: 3600e3,
  d: 86400e3,
};

/** `16MiB`, `64k`, `4096` → bytes. */
export function parseBytes(text: string): number | undefined {
  return parseQuantity(text, SIZE_UNITS);
}

/** `30s`, `500ms`, `2m`, `1000` → milliseconds. */
export function parseMilliseconds(text: string): number | undefined {
  return parseQuantity(text, DURATION_UNITS);
}

function parseQuantity(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim());
  const unit = match?.[2]?.toLowerCase();
  if (match === null || unit === undefined || !Object.hasOwn(units, unit)) return undefined;
  return Number(match[1]) * (units[unit] ?? 1);
}
