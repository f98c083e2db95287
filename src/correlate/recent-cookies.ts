/** Sockets that ended lately: a row of them that was read before their end may arrive after it. */
import { NumberSet } from './collections.js';

/** Longer than capture holds a row back. */
const KEEP_NS = 5e9;
const MAX_COOKIES = 500_000;

/** Two generations: the older one is forgotten as a whole, when the younger is as old as must be remembered. */
export class RecentCookies {
  private young = new NumberSet();
  private old = new NumberSet();
  private youngSinceNs = 0;

  add(cookie: number): void {
    this.young.add(cookie);
  }

  has(cookie: number): boolean {
    return this.young.has(cookie) || this.old.has(cookie);
  }

  retain(nowNs: number): void {
    if (nowNs - this.youngSinceNs < KEEP_NS && this.young.size < MAX_COOKIES / 2) return;
    this.old = this.young;
    this.young = new NumberSet(this.old.size);
    this.youngSinceNs = nowNs;
  }

  get size(): number {
    return this.young.size + this.old.size;
  }
}
