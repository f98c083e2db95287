/** Sockets that ended lately: a row of them that was read before their end may arrive after it. */
import { Fifo, ShardedMap } from './collections.js';
import type { Socket } from './halves.js';

/** Longer than capture holds a row back. */
const KEEP_NS = 5e9;
const MAX_COOKIES = 500_000;

export class RecentCookies {
  private readonly sockets = new ShardedMap<number, Socket>();
  private readonly order = new Fifo<number>();
  private readonly endNs = new Fifo<number>();

  add(socket: Socket, nowNs: number): void {
    const { cookie } = socket;
    const isNew = !this.sockets.has(cookie);
    this.sockets.set(cookie, socket);
    if (!isNew) return;
    this.order.push(cookie);
    this.endNs.push(nowNs);
  }

  has(cookie: number): boolean {
    return this.sockets.has(cookie);
  }

  /** The socket as it was at its end. */
  get(cookie: number): Socket | undefined {
    return this.sockets.get(cookie);
  }

  retain(nowNs: number): void {
    for (let cookie = this.order.peek(); cookie !== undefined; cookie = this.order.peek()) {
      if (this.order.size <= MAX_COOKIES && (this.endNs.peek() ?? 0) > nowNs - KEEP_NS) break;
      this.order.shift();
      this.endNs.shift();
      this.sockets.delete(cookie);
    }
  }

  get size(): number {
    return this.order.size;
  }
}
