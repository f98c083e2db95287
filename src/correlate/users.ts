/** Accounts of uids, looked up away from the hot path: reading one never waits. */
import type { User } from './model.js';

/** Names of uids, null for those without an account; through the host's name service, which may take its time. */
export type UserResolver = (uids: readonly number[]) => Promise<readonly (string | null)[]>;

/** After so long a name is looked up again, when somebody reads it. */
const TTL_MS = 60_000;
/** More uids than any host has accounts in use; beyond, the oldest are forgotten. */
const MAX_USERS = 65_536;
/** uids asked for at once. */
const MAX_BATCH = 256;

interface Entry {
  readonly user: User;
  /** When the name was looked up; null before the first time. */
  resolvedMs: number | null;
}

export class UserDirectory {
  private readonly entries = new Map<number, Entry>();
  private readonly byName = new Map<string, number>();
  private readonly wanted = new Set<number>();
  private resolving = false;
  private failures = 0;

  constructor(
    private readonly resolve: UserResolver,
    private readonly nowMs: () => number = () => performance.now(),
  ) {}

  /** The account of a uid; the number is the name until the name is known. */
  user(uid: number): User {
    const entry = this.entries.get(uid) ?? this.add(uid);
    if (entry.resolvedMs === null || this.nowMs() - entry.resolvedMs > TTL_MS) this.want(uid);
    return entry.user;
  }

  /** The name of the account, or the number of one that has none; null before the first look-up. */
  nameOf(uid: number): string | null {
    const { name } = this.user(uid);
    return this.entries.get(uid)?.resolvedMs === null ? null : name;
  }

  /** The uid of a name among the users read so far. */
  uidOf(name: string): number | undefined {
    return this.byName.get(name);
  }

  /** All names are looked up again: the accounts have changed. */
  invalidate(): void {
    for (const [uid, entry] of this.entries) {
      if (entry.resolvedMs !== null) entry.resolvedMs = -Infinity;
      this.want(uid);
    }
  }

  /** Look-ups that failed as a whole, since the start. */
  get failed(): number {
    return this.failures;
  }

  private add(uid: number): Entry {
    if (this.entries.size >= MAX_USERS) {
      const oldest = this.entries.keys().next();
      if (oldest.done !== true) this.forget(oldest.value);
    }
    return this.set(uid, String(uid), null);
  }

  private set(uid: number, name: string, resolvedMs: number | null): Entry {
    const known = this.entries.get(uid);
    if (known?.user.name === name) {
      known.resolvedMs = resolvedMs;
      return known;
    }
    this.forget(uid);
    const entry = { user: { uid, name }, resolvedMs };
    this.entries.set(uid, entry);
    this.byName.set(name, uid);
    return entry;
  }

  private forget(uid: number): void {
    const entry = this.entries.get(uid);
    if (entry === undefined) return;
    this.entries.delete(uid);
    if (this.byName.get(entry.user.name) === uid) this.byName.delete(entry.user.name);
  }

  private want(uid: number): void {
    this.wanted.add(uid);
    if (this.resolving) return;
    this.resolving = true;
    // After the work at hand, so that uids met together are asked for together.
    setImmediate(() => void this.work());
  }

  /** Does not reject: when the name service fails, the old names stay and are asked for again after the usual time. */
  private async work(): Promise<void> {
    while (this.wanted.size > 0) {
      const uids = [...this.wanted].slice(0, MAX_BATCH);
      for (const uid of uids) this.wanted.delete(uid);
      let names: readonly (string | null)[] | null = null;
      try {
        names = await this.resolve(uids);
      } catch {
        this.failures++;
      }
      uids.forEach((uid, index) => {
        const known = this.entries.get(uid);
        if (known === undefined) return;
        this.set(uid, names === null ? known.user.name : (names[index] ?? String(uid)), this.nowMs());
      });
    }
    this.resolving = false;
  }
}
