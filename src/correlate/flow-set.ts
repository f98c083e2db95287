/** The flows of a process: they come, and mostly go, in the order of their making, so that is where they are kept. */
import { mixed } from './hash-index.js';
import type { Flow } from './model.js';

type Place = Flow | null | undefined;

const NO_PLACES: Place[] = [];
const FIRST_CAPACITY = 8;

/**
 * Open addressing by {@link Flow.sequence}: the flows of a busy process lie side by side, where a hash would scatter them
 * over memory. Only who finds its place taken goes elsewhere.
 */
export class FlowSet implements Iterable<Flow> {
  /** At most three quarters are taken; null is one that was left: whoever went on from it must still be found. */
  private places = NO_PLACES;
  private taken = 0;
  private count = 0;

  get size(): number {
    return this.count;
  }

  /** Adds a flow that is not in it. */
  add(flow: Flow): void {
    if ((this.taken + 1) * 4 > this.places.length * 3) this.rebuild();
    this.put(flow);
  }

  /** False when it was not in it. */
  delete(flow: Flow): boolean {
    const { places } = this;
    const last = places.length - 1;
    if (last < 0) return false;
    let place = flow.sequence & last;
    while (places[place] !== flow) {
      if (places[place] === undefined) return false;
      place = (place + stepOf(flow)) & last;
    }
    places[place] = null;
    if (--this.count === 0) {
      this.places = NO_PLACES;
      this.taken = 0;
    }
    return true;
  }

  *[Symbol.iterator](): Generator<Flow, void> {
    for (const flow of this.places) if (flow !== undefined && flow !== null) yield flow;
  }

  private put(flow: Flow): void {
    const { places } = this;
    const last = places.length - 1;
    let place = flow.sequence & last;
    for (let found = places[place]; found !== undefined && found !== null; found = places[place]) {
      place = (place + stepOf(flow)) & last;
    }
    if (places[place] === undefined) this.taken++;
    places[place] = flow;
    this.count++;
  }

  private rebuild(): void {
    let capacity = FIRST_CAPACITY;
    while (capacity < (this.count + 1) * 2) capacity *= 2;
    const { places } = this;
    this.places = new Array<Place>(capacity).fill(undefined);
    this.taken = 0;
    this.count = 0;
    for (const flow of places) if (flow !== undefined && flow !== null) this.put(flow);
  }
}

/** Odd, so that it leads to every place. */
function stepOf(flow: Flow): number {
  return mixed(flow.sequence) | 1;
}
