/** Sets of TCP flags: one shared list for each of the 256. */
export type TcpFlag = 'FIN' | 'SYN' | 'RST' | 'PSH' | 'ACK' | 'URG' | 'ECE' | 'CWR';

/** Beside the flags of a sender: all of its packets were seen. */
export const ALL_TCP_FLAGS = 256;

/** In the order of the bits of byte 13 of the header (RFC 9293, RFC 3168). */
const FLAGS: readonly TcpFlag[] = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG', 'ECE', 'CWR'];

const SETS: readonly (readonly TcpFlag[])[] = Array.from({ length: 256 }, (_, bits) =>
  FLAGS.filter((_flag, bit) => (bits & (1 << bit)) !== 0),
);

/** The flags that are set in a byte; null for -1, which is unknown. */
export function tcpFlagsOf(bits: number): readonly TcpFlag[] | null {
  return bits < 0 ? null : (SETS[bits & 0xff] ?? null);
}
