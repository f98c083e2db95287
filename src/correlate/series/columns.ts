/** What series are made of: counters, of which a slot holds the part that falls into it, and levels, as they were at its end. */
export const COUNTER = {
  cpuNs: 0,
  userNs: 1,
  minorFaults: 2,
  majorFaults: 3,
  ioWaitNs: 4,
  readBytes: 5,
  writtenBytes: 6,
  voluntarySwitches: 7,
  involuntarySwitches: 8,
  sentOctets: 9,
  receivedOctets: 10,
  sentPackets: 11,
  receivedPackets: 12,
} as const;
export const COUNTERS = 13;
/** Those before this one come from samples, the others from flows. */
export const FIRST_NETWORK_COUNTER = COUNTER.sentOctets;

export const LEVEL = { memoryBytes: 0, connections: 1 } as const;
export const LEVELS = 2;

export const COLUMNS = COUNTERS + LEVELS;
