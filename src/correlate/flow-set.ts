import { HashIndex } from './hash-index.js';
import type { Flow } from './model.js';

/** A set of flows, which keeps them in the order of their making. */
export class FlowSet extends HashIndex<Flow, Flow> implements Iterable<Flow> {
  constructor() {
    super(1);
  }

  protected override keyOf(flow: Flow): Flow {
    return flow;
  }
  protected override hashOf(flow: Flow): number {
    return flow.sequence;
  }

  add(flow: Flow): void {
    this.set(flow);
  }

  [Symbol.iterator](): Iterator<Flow> {
    return this.values();
  }
}
