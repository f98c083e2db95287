/** Public keys of CURVE: 32 octets, in Z85 (ZeroMQ RFC 32) as ntopng shows them, or in hexadecimal. */

const DIGITS = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#';
const LENGTH = 40;
const U32_MOST = 0xffff_ffff;

export function isCurveKey(text: string): boolean {
  if (text.length !== LENGTH) return false;
  for (let at = 0; at < LENGTH; at += 5) {
    let group = 0;
    for (let i = 0; i < 5; i++) {
      const value = DIGITS.indexOf(text.charAt(at + i));
      if (value < 0) return false;
      group = group * 85 + value;
    }
    if (group > U32_MOST) return false;
  }
  return true;
}

/** Hexadecimal as Z85: of the key itself, or of its Z85. All else stays as it is. */
export function asZ85(text: string): string {
  if (!/^(?:[0-9a-f]{64}|[0-9a-f]{80})$/i.test(text)) return text;
  const octets = Buffer.from(text, 'hex');
  return octets.length === LENGTH ? octets.toString('latin1') : encode(octets);
}

function encode(octets: Buffer): string {
  let text = '';
  for (let at = 0; at < octets.length; at += 4) {
    let value = octets.readUInt32BE(at);
    let group = '';
    for (let i = 0; i < 5; i++) {
      group = `${DIGITS.charAt(value % 85)}${group}`;
      value = Math.floor(value / 85);
    }
    text += group;
  }
  return text;
}
