import { createHash } from 'node:crypto';
import { ProcflowError } from '../../errors.js';
import type { Key, OrderDirection, OrderField } from './order.js';

/** A place in an ordered list: the key and id of the last row that was read. */
export interface Cursor {
  /** Hash of the list's kind, filter and window, so that a cursor is not taken to another list. */
  readonly list: string;
  /** When the first page was read: relative times mean the same on every page. */
  readonly asOfMicros: number;
  readonly order: string;
  readonly direction: OrderDirection;
  readonly key: Key;
  readonly id: string;
  /** The pinned order, when the keys change. */
  readonly pin: string | null;
}

const VERSION = 1;
const MAX_LENGTH = 2048;

export function encodeCursor(cursor: Cursor): string {
  const { list, asOfMicros, order, direction, key, id, pin } = cursor;
  return Buffer.from(JSON.stringify([VERSION, list, asOfMicros, order, direction, key, id, pin])).toString('base64url');
}

/** A short hash of whatever describes a list. */
export function fingerprint(parts: readonly unknown[]): string {
  return createHash('sha1').update(JSON.stringify(parts)).digest('base64url').slice(0, 12);
}

/**
 * Reads a cursor that must belong to this list in this order.
 * @throws ProcflowError INVALID_CURSOR saying what does not fit
 */
export function decodeCursor<T>(text: string, list: string, order: OrderField<T>, direction: OrderDirection): Cursor {
  const cursor = parseCursor(text);
  if (cursor === undefined) throw invalid('it was not made by this agent; leave it out to read from the start');
  if (cursor.order !== order.name || cursor.direction !== direction) {
    throw invalid(
      `it belongs to the order ${cursor.order} ${cursor.direction}, and this request asks for ${order.name} ${direction}`,
    );
  }
  if (cursor.list !== list) throw invalid('it belongs to a request with another filter or time window');
  if (cursor.key !== null && typeof cursor.key !== order.type) throw invalid('its key has another type than the order');
  return cursor;
}

export function invalid(why: string): ProcflowError {
  return new ProcflowError('INVALID_CURSOR', `the cursor cannot be used: ${why}`);
}

function parseCursor(text: string): Cursor | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(text, 'base64url').toString());
  } catch {
    return undefined;
  }
  if (!Array.isArray(parts) || parts.length !== 8) return undefined;
  const [version, list, asOfMicros, order, direction, key, id, pin] = parts as unknown[];
  if (version !== VERSION || typeof list !== 'string' || typeof order !== 'string' || typeof id !== 'string')
    return undefined;
  if (typeof asOfMicros !== 'number' || (direction !== 'ASC' && direction !== 'DESC')) return undefined;
  if (key !== null && typeof key !== 'number' && typeof key !== 'string') return undefined;
  if (pin !== null && typeof pin !== 'string') return undefined;
  return { list, asOfMicros, order, direction, key, id, pin };
}
