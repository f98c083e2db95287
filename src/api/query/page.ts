import { ProcflowError } from '../../errors.js';
import { Best } from './best.js';
import { decodeCursor, encodeCursor, invalid, type Cursor } from './cursor.js';
import type { Predicate } from './fields.js';
import type { Names } from './measures.js';
import { comparator, type Key, type OrderDirection, type OrderField } from './order.js';
import type { PinnedList, Pins } from './pins.js';

/** A list to be read page by page. */
export interface Listing<T> {
  rows(): Iterable<T>;
  byId(id: string): T | undefined;
  idOf(row: T): string;
  /** What rows are in it, with relative times as of `asOfMicros`. */
  filter(asOfMicros: number): Predicate<T>;
  /** Hash of all that defines the list except order and page. */
  readonly fingerprint: string;
  readonly order: OrderField<T>;
  readonly names: Names;
  readonly direction: OrderDirection;
}

export interface PageRequest {
  readonly first: number;
  readonly after: string | null | undefined;
  readonly nowMicros: number;
  readonly pins: Pins;
  readonly deadline: Deadline;
}

/** Ends a query that takes too long; asked from within loops, since a synchronous scan cannot be interrupted. */
export interface Deadline {
  check(): void;
}

/** Rows looked at between two looks at the clock. */
const ROWS_PER_CHECK = 4096;

/** One page, in the shape of a GraphQL connection; what costs is computed when asked for. */
export class Page<T> {
  constructor(
    readonly nodes: readonly T[],
    readonly totalCount: number,
    readonly hasNextPage: boolean,
    readonly hasPreviousPage: boolean,
    private readonly places: readonly { readonly key: Key; readonly id: string }[],
    private readonly cursorAt: (place: { readonly key: Key; readonly id: string }) => string,
  ) {}

  get edges(): { readonly node: T; readonly cursor: string }[] {
    // Places and nodes are parallel unless a pinned row has gone; then places name it and nodes do not.
    return this.nodes.map((node, i) => {
      const place = this.places[i];
      return { node, cursor: place === undefined ? '' : this.cursorAt(place) };
    });
  }

  get pageInfo(): this {
    return this;
  }

  get startCursor(): string | null {
    const place = this.places[0];
    return place === undefined ? null : this.cursorAt(place);
  }

  get endCursor(): string | null {
    const place = this.places.at(-1);
    return place === undefined ? null : this.cursorAt(place);
  }
}

/**
 * Reads one page. In an order whose keys never change, a page is the rows after the cursor, whatever has come or gone. In
 * any other the keys and ids of the whole list are pinned when the first page is read, and later pages follow the pinned
 * order: no row that was there is skipped or repeated because its counter moved. A row that the agent has forgotten
 * meanwhile is left out.
 * @throws ProcflowError INVALID_CURSOR, TIMEOUT
 */
export function readPage<T>(listing: Listing<T>, request: PageRequest): Page<T> {
  const { fingerprint, order, direction } = listing;
  const cursor = request.after ? decodeCursor(request.after, fingerprint, order, direction) : undefined;
  if (cursor !== undefined && !order.isFixed) return pinnedPage(listing, request, cursor);
  return scannedPage(listing, request, cursor);
}

function scannedPage<T>(listing: Listing<T>, request: PageRequest, cursor: Cursor | undefined): Page<T> {
  const { order, direction, fingerprint } = listing;
  const asOfMicros = cursor?.asOfMicros ?? request.nowMicros;
  const test = listing.filter(asOfMicros);
  const compare = comparator(direction);
  const best = new Best<T>(request.first + 1, compare);
  const ids: string[] = [];
  const keys: Key[] = [];
  let total = 0;
  let scanned = 0;
  for (const row of listing.rows()) {
    if (++scanned % ROWS_PER_CHECK === 0) request.deadline.check();
    if (!test(row)) continue;
    total++;
    const key = order.key(row, listing.names);
    const id = listing.idOf(row);
    if (!order.isFixed) {
      ids.push(id);
      keys.push(key);
    }
    if (cursor !== undefined && compare(key, id, cursor.key, cursor.id) <= 0) continue;
    best.offer(key, id, row);
  }
  const found = best.sorted();
  const places = found.slice(0, request.first);
  let pin: string | null = null;
  return new Page(
    places.map((place) => place.row),
    total,
    found.length > request.first,
    cursor !== undefined,
    places,
    (place) => {
      // Only when somebody can go on: most lists are never paged.
      if (!order.isFixed) pin ??= request.pins.add({ ids, keys });
      return encodeCursor({ ...place, list: fingerprint, asOfMicros, order: order.name, direction, pin });
    },
  );
}

function pinnedPage<T>(listing: Listing<T>, request: PageRequest, cursor: Cursor): Page<T> {
  const list = cursor.pin === null ? undefined : request.pins.get(cursor.pin);
  if (list === undefined) throw invalid('the order it goes through is no longer kept; read the first page again');
  const compare = comparator(listing.direction);
  const best = new Best<string>(request.first + 1, compare);
  forEachPinned(list, (id, key) => {
    if (compare(key, id, cursor.key, cursor.id) > 0) best.offer(key, id, id);
  });
  const found = best.sorted();
  const places = found.slice(0, request.first);
  const rows = places.map((place) => listing.byId(place.id));
  const kept = places.filter((_, i) => rows[i] !== undefined);
  const last = places.at(-1);
  // The page ends where the pinned order says, also when its last row has gone.
  const ends = last === undefined || last === kept.at(-1) ? kept : [...kept, last];
  return new Page(
    rows.filter((row) => row !== undefined),
    list.ids.length,
    found.length > request.first,
    true,
    ends,
    ({ key, id }) => encodeCursor({ ...cursor, key, id }),
  );
}

function forEachPinned(list: PinnedList, visit: (id: string, key: Key) => void): void {
  list.ids.forEach((id, i) => {
    visit(id, list.keys[i] ?? null);
  });
}

/** @throws ProcflowError INVALID_ARGUMENT unless 1 ≤ value ≤ max */
export function checkPageSize(parameter: string, value: number, max: number): number {
  if (Number.isInteger(value) && value >= 1 && value <= max) return value;
  const message = `${parameter} is 1 to ${max}, not ${value}`;
  throw new ProcflowError('INVALID_ARGUMENT', message, { errors: [{ parameter, message }] });
}
