/** Which tiers of capture run, since when, and what flows lack because one does not. */
import type { Batch } from '../capture/batch.js';
import type { TierStatus } from '../capture/index.js';
import type { HostTier, ShedSpan } from './live-state.js';
import type { Flow } from './model.js';
import { NOTE } from './owners.js';

const TCP = 6;
const UDP = 17;

const TIER_NAMES: readonly TierStatus['name'][] = ['lifecycle', 'messages', 'packets', 'forwarded', 'resources'];

/** So many spans are remembered. */
const MAX_SPANS = 100;

interface Tier {
  readonly on: boolean;
  /** It ran before, and was put off since. */
  readonly shed: boolean;
  /** It was put off at some time. */
  readonly everShed: boolean;
  readonly reason: string | null;
  readonly sinceMicros: number;
}

export class Tiers {
  private readonly known = new Map<string, Tier>();
  /** When tiers were put off, oldest first. */
  private spans: ShedSpan[] = [];

  /** Told of each tier that is put off, or runs again. */
  changed: (tier: HostTier) => void = () => undefined;

  /** Applies a row. @returns the notes that live flows get by it, over TCP and over UDP; null when they get none */
  apply(batch: Batch, row: number, sinceMicros: number): LiveNotes | null {
    const table = batch.tier;
    const name = batch.text(table.name[row] as number) ?? '';
    if (!isTierName(name)) return null;
    const on = table.on[row] === 1;
    const before = this.known.get(name);
    const shed = !on && (before?.on === true || before?.shed === true);
    const reason = on ? null : batch.text(table.reason[row] as number);
    const isChange = before?.on !== on;
    const since = isChange ? sinceMicros : before.sinceMicros;
    const tier = { on, shed, everShed: shed || before?.everShed === true, reason, sinceMicros: since };
    this.known.set(name, tier);
    if (before !== undefined && isChange) this.tellChange(name, tier);
    if (!shed || !isChange) return null;
    if (name === 'packets') return { tcp: NOTE.applicationTierShed, udp: NOTE.applicationTierShed };
    return name === 'messages' ? { tcp: NOTE.messagesTierShed, udp: 0 } : null;
  }

  private tellChange(name: TierStatus['name'], tier: Tier): void {
    this.spans = this.spans
      .map((span) => (span.tier === name && span.toMicros === null ? { ...span, toMicros: tier.sinceMicros } : span))
      .concat(tier.shed ? [{ tier: name, fromMicros: tier.sinceMicros, toMicros: null }] : [])
      .slice(-MAX_SPANS);
    this.changed(withRow({ name, state: 'UNAVAILABLE', reason: null }, tier));
  }

  /** When tiers were put off: the latest, oldest first. */
  get shedSpans(): readonly ShedSpan[] {
    return this.spans;
  }

  /** Messages of TCP are left out, and with them exchanges are. */
  get areExchangesShed(): boolean {
    return this.known.get('messages')?.shed === true;
  }

  /** The notes of a flow that begins now, as long as nothing else is known of it. */
  notesOf(protocolNumber: number): number {
    if (protocolNumber !== TCP && protocolNumber !== UDP) return 0;
    const packets = this.known.get('packets');
    if (packets?.on === true) return NOTE.applicationUndetected;
    return packets?.shed === true ? NOTE.applicationTierShed : NOTE.applicationTierOff;
  }

  /** Why the messages of a connection are not counted. */
  get uncountedNote(): number {
    return this.known.get('messages')?.everShed === true ? NOTE.messagesTierShed : NOTE.messagesTierOff;
  }

  /** What capture says of its tiers, with what the batches say of them. */
  over(captured: readonly TierStatus[]): HostTier[] {
    const tiers = captured.map((tier) => withRow(tier, this.known.get(tier.name)));
    for (const name of TIER_NAMES) {
      const row = this.known.get(name);
      if (row === undefined || captured.some((tier) => tier.name === name)) continue;
      tiers.push(withRow({ name, state: 'UNAVAILABLE', reason: row.reason }, row));
    }
    return tiers;
  }
}

/** Notes on a live flow that a tier was put off. */
export function noteShed(flow: Flow, bits: number): void {
  if ((bits & NOTE.applicationTierShed) !== 0 && flow.application !== null) return;
  flow.noteBits |= bits;
  if ((bits & NOTE.applicationTierShed) !== 0) flow.noteBits &= ~NOTE.applicationUndetected;
}

export interface LiveNotes {
  readonly tcp: number;
  readonly udp: number;
}

function isTierName(name: string): name is TierStatus['name'] {
  return (TIER_NAMES as readonly string[]).includes(name);
}

function withRow(tier: TierStatus, row: Tier | undefined): HostTier {
  if (row === undefined) return { ...tier, sinceMicros: null };
  const { sinceMicros } = row;
  if (row.on) return { name: tier.name, state: 'ON', reason: null, sinceMicros };
  const state = row.shed ? 'SHED' : tier.state === 'ON' ? 'UNAVAILABLE' : tier.state;
  return { name: tier.name, state, reason: row.reason ?? tier.reason, sinceMicros };
}
