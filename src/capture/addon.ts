/** The native addon, typed, and checked to be the one that this program was written for. */
import { createRequire } from 'node:module';
import { ProcflowError } from '../errors.js';
import { LAYOUT_VERSION, layoutText } from './layout.js';

/** One kind of values of each list; an empty list does not filter. */
export interface NativeFilterLists {
  readonly addresses: readonly { readonly bytes: Uint8Array; readonly bits: number }[];
  readonly ports: readonly number[];
  readonly protocols: readonly number[];
  readonly cgroups: readonly number[];
  readonly uids: readonly number[];
  readonly processes: readonly string[];
}

export interface NativeFilter {
  readonly keep: NativeFilterLists;
  readonly drop: NativeFilterLists;
  readonly loopback: boolean;
  readonly ownTraffic: boolean;
  /** TCP ports that this agent listens on: who talks to them talks to the agent. */
  readonly ownPorts: readonly number[];
}

/** What the packets tier looks at: conversations in every list that is not empty. */
export interface NativePackets {
  readonly enabled: boolean;
  readonly firstPackets: number;
  readonly bytesPerPacket: number;
  readonly ports: readonly number[];
  readonly cgroups: readonly number[];
  readonly uids: readonly number[];
}

export interface NativeOptions {
  readonly pollIntervalMs: number;
  readonly ringBufferBytes: number;
  readonly maxSockets: number;
  readonly sampleIntervalMs: number;
  readonly messages: boolean;
  readonly resources: boolean;
  readonly peakMemory: boolean;
  readonly delayAccounting: boolean;
  readonly packets: NativePackets;
  /** What the kernel programs may take, in percent of one core; 0: nothing is put off. */
  readonly budgetPercent: number;
  /** Empty to find it. */
  readonly cgroupRoot: string;
  readonly filter: NativeFilter;
}

export interface NativeTier {
  readonly name: 'lifecycle' | 'messages' | 'packets' | 'resources';
  readonly on: boolean;
  /** Whether it could be on, here and as configured. */
  readonly available: boolean;
  /** Why it is off, or which part of it is; empty when all of it is on. */
  readonly reason: string;
}

export interface NativeCapture {
  /** Stops the capture thread. Its last batches are delivered on later turns of the event loop, and then `ended` is called. */
  stop(ended: () => void): void;
  /** JSON text with what the source says of itself; `{}` before it said anything. */
  status(): string;
  setFilter(filter: NativeFilter): void;
  tiers(): NativeTier[];
  /** Id of the thread that captures; null once it was stopped. */
  thread(): number | null;
  /**
   * Switches a tier off or on again while capture runs: the packets tier, or the messages tier as far as TCP goes. Soon,
   * and told by a row of table `tier`.
   */
  setTier(name: NativeTier['name'], on: boolean, reason: string): void;
  /** Replaces the budget. */
  setBudget(percent: number): void;
}

/** Sends many datagrams with one system call. */
export interface DatagramSender {
  /**
   * Sends datagrams that lie in slots of equal size, in their order, without waiting, and unfragmented.
   * @returns how many went; when none did, the negative errno of the first
   */
  send(slots: Uint8Array, slotBytes: number, lengths: Uint32Array, first: number, count: number): number;
  /** Largest IP packet that the path takes, as far as the kernel knows; 0 when it does not. */
  pathMtu(): number;
  close(): void;
}

export interface Addon {
  readonly layout: string;
  readonly layoutVersion: number;
  /** @throws Error with the reason when the source cannot run here */
  readonly Capture: new (
    source: 'ebpf' | 'procfs',
    options: NativeOptions,
    onBatch: (batch: ArrayBuffer) => void,
    onFailure: (reason: string) => void,
  ) => NativeCapture;
  /**
   * A connected UDP socket.
   * @throws Error with the reason when there is no way to the address
   */
  readonly DatagramSender: new (address: string, port: number) => DatagramSender;
  /** What stands against eBPF on this host; empty when nothing does. */
  bpfObstacle(): string;
  /**
   * Gives up, for good and on all threads, what a running capture does not need; the thread named keeps what it needs.
   * @throws Error with the reason when that is not wholly done
   */
  dropPrivileges(captureThread: number): void;
  /** Account names by the host's name service; null for a uid without an account. */
  resolveUsers(uids: readonly number[]): Promise<(string | null)[]>;
}

const ADDON = '../../../native/build/Release/procflow.node';

let loaded: Addon | undefined;

/** @throws ProcflowError CAPTURE_UNAVAILABLE when it is not built, or was built from other sources */
export function loadAddon(): Addon {
  if (loaded !== undefined) return loaded;
  let addon: Addon;
  try {
    addon = createRequire(import.meta.url)(ADDON) as Addon;
  } catch (error) {
    throw new ProcflowError('CAPTURE_UNAVAILABLE', 'the native addon cannot be loaded; build it with: npm run build', {
      cause: error,
    });
  }
  if (addon.layoutVersion !== LAYOUT_VERSION || addon.layout !== layoutText()) {
    throw new ProcflowError(
      'CAPTURE_UNAVAILABLE',
      'the native addon was built from other sources than this program; build it again with: npm run build',
    );
  }
  loaded = addon;
  return addon;
}
