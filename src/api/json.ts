/** A surrogate without its partner, as JSON.stringify escapes it. */
const ESCAPED_SURROGATE = /(?<!\\)((?:\\\\)*)\\ud[89a-f][0-9a-f]{2}/g;

/**
 * JSON that every strict reader takes. JSON.stringify writes a lone surrogate as an escape that some parsers refuse; it
 * becomes U+FFFD. Names come from processes, so it can be there; it is rare, so the search for it is one pass of indexOf.
 */
export function stringify(value: unknown, indent?: number): string {
  const text = JSON.stringify(value, undefined, indent);
  return text.includes('\\ud') ? text.replace(ESCAPED_SURROGATE, '$1\\ufffd') : text;
}
