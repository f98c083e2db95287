import type { Json } from './shape.js';

/** Lists for spreadsheets (RFC 4180): a column for each path, single values as they are, lists of them joined by spaces. */
export function toCsv(rows: readonly Json[], columns: readonly string[]): string {
  const lines = [
    columns.join(','),
    ...rows.map((row) => columns.map((column) => cell(valueAt(row, column))).join(',')),
  ];
  return `${lines.join('\r\n')}\r\n`;
}

function valueAt(row: Json, path: string): unknown {
  let value: unknown = row;
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null) return null;
    value = (value as Json)[name];
  }
  return value;
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  const text = Array.isArray(value) ? value.join(' ') : typeof value === 'string' ? value : JSON.stringify(value);
  // A spreadsheet takes text that begins like this for a formula, and processes name themselves.
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
