import assert from 'node:assert/strict';
import test from 'node:test';
import { FlowSet } from '../../src/correlate/flow-set.js';
import { Flow } from '../../src/correlate/model.js';
import { Fifo, NumberSet } from '../../src/correlate/collections.js';
import { HashIndex, MANY, mixed } from '../../src/correlate/hash-index.js';

interface Item {
  readonly key: number;
  readonly value: number;
}

class Items extends HashIndex<number, Item> {
  constructor(
    tables: number,
    private readonly hash: (key: number) => number,
  ) {
    super(tables);
  }
  protected override keyOf(item: Item): number {
    return item.key;
  }
  protected override hashOf(key: number): number {
    return this.hash(key);
  }
}

/** The same numbers on every run. */
function* random(seed: number): Generator<number, never> {
  for (let state = seed; ;) {
    state = Math.imul(state, 1664525) + 1013904223;
    yield state >>> 8;
  }
}

for (const [name, tables, hash] of [
  ['a good hash', MANY, mixed],
  ['a bad hash', MANY, (key: number) => key & 3],
  ['hashes at the end of the table', MANY, (key: number) => -256 - (key & 1)],
  ['numbers that count up', 1, (key: number) => key],
  ['numbers far apart', 2, (key: number) => key << 20],
] as const) {
  test(`an index is a map, with ${name}`, () => {
    const index = new Items(tables, hash);
    const model = new Map<number, Item>();
    const numbers = random(7);
    for (let step = 0; step < 20_000; step++) {
      const key = numbers.next().value % 300;
      if (numbers.next().value % 3 === 0) assert.equal(index.delete(key), model.delete(key));
      else {
        const item = { key, value: step };
        index.set(item);
        model.set(key, item);
      }
      assert.equal(index.get(key), model.get(key));
      assert.equal(index.size, model.size);
    }
    const byKey = (items: Iterable<Item>): Item[] => [...items].sort((a, b) => a.key - b.key);
    assert.deepEqual(byKey(index.values()), byKey(model.values()));
    for (let key = 0; key < 300; key++) assert.equal(index.get(key), model.get(key));
  });
}

test('a set of numbers knows what was added, also beyond 32 bits', () => {
  const set = new NumberSet();
  const added = Array.from({ length: 5000 }, (_, i) => (i + 1) * (i % 2 === 0 ? 1 : 0x1_0000_0001));
  for (const value of [...added, ...added]) set.add(value);
  assert.equal(set.size, 5000);
  assert.ok(added.every((value) => set.has(value)));
  for (let value = 2; value < 5000; value += 2) assert.ok(!set.has(value));
});

test('the flows of a process are a set, in whatever order they come and go', () => {
  const flows = Array.from({ length: 3000 }, (_, n) => {
    // Close together, far apart, and many that want the same place.
    const sequence = n % 3 === 0 ? n : n % 3 === 1 ? n * 7919 : n * 0x10000;
    return new Flow({ id: '', cookie: 0, peer: null, salt: 0 }, sequence, 'TCP', 6, 4);
  });
  const set = new FlowSet();
  const model = new Set<Flow>();
  const numbers = random(11);
  for (let step = 0; step < 30_000; step++) {
    // As in life, most that go are the oldest.
    const oldest = model.values().next().value;
    const any = flows[numbers.next().value % flows.length] as Flow;
    const flow = step % 4 === 0 && oldest !== undefined ? oldest : any;
    if (numbers.next().value % 2 === 0 || step % 4 === 0) assert.equal(set.delete(flow), model.delete(flow));
    else if (!model.has(flow)) {
      set.add(flow);
      model.add(flow);
    }
    assert.equal(set.size, model.size);
  }
  assert.deepEqual(new Set(set), model);
  for (const flow of model) assert.ok(set.delete(flow));
  assert.equal(set.size, 0);
  assert.deepEqual([...set], []);
});

test('first in, first out, over many rounds', () => {
  const fifo = new Fifo<number>();
  let next = 0;
  for (let pushed = 0; pushed < 10_000; pushed++) {
    fifo.push(pushed);
    if (pushed % 3 !== 0) assert.equal(fifo.shift(), next++);
  }
  while (fifo.size > 0) {
    assert.equal(fifo.peek(), next);
    assert.equal(fifo.shift(), next++);
  }
  assert.equal(next, 10_000);
  assert.equal(fifo.shift(), undefined);
  assert.equal(fifo.peek(), undefined);
});
