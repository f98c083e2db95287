/** Sockets that ended lately: a row of them that was read before their end may arrive after it. */
import { Fifo, ShardedMap } from './collections.js';

/** Longer than capture holds a row back. */
const KEEP_NS = 5e9;
const MAX_COOKIES = 500_000;

export class RecentCookies {
  private readonly endNs = new ShardedMap<number, number>();
  private readonly order = new Fifo<number>();

  add(cookie: number, nowNs: number): void {
    if (this.endNs.has(cookie)) return;
    this.endNs.set(cookie, nowNs);
    this.order.push(cookie);
  }

  has(cookie: number): boolean {
    return this.endNs.has(cookie);
  }

  retain(nowNs: number): void {
    for (let cookie = this.order.peek(); cookie !== undefined; cookie = this.order.peek()) {
      if (this.order.size <= MAX_COOKIES && (this.endNs.get(cookie) ?? 0) > nowNs - KEEP_NS) break;
      this.order.shift();
      this.endNs.delete(cookie);
    }
  }

  get size(): number {
    return this.order.size;
  }
}
