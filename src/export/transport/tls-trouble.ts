/** What went wrong between the two ends of TLS, in words that say what to do about it. */

/** Node's codes for a chain that ends at nobody known. */
const UNTRUSTED: readonly string[] = [
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
];

/** The same error when it is not about TLS. */
export function tlsTrouble(error: Error): Error {
  const { code = '', reason } = error as Error & { readonly code?: string; readonly reason?: string };
  const words = wordsFor(code);
  if (words !== null) return new Error(`${words} (${reason ?? error.message})`, { cause: error });
  // OpenSSL's messages have addresses and lines of its sources around what they say.
  return code.startsWith('ERR_SSL_') && reason !== undefined ? new Error(`TLS: ${reason}`, { cause: error }) : error;
}

function wordsFor(code: string): string | null {
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return "the collector's certificate is for another name";
  if (code === 'CERT_HAS_EXPIRED') return "the collector's certificate has expired";
  if (code === 'CERT_NOT_YET_VALID') return "the collector's certificate is not valid yet";
  if (UNTRUSTED.includes(code)) return "no known authority signed the collector's certificate: see export.tls.ca";
  if (/PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL/.test(code)) return 'the collector has no TLS 1.2 or 1.3';
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER') return 'the collector does not speak TLS';
  if (/ALERT_.*(CERTIFICATE|UNKNOWN_CA)/.test(code)) return 'the collector refuses the certificate export.tls.cert';
  return null;
}
