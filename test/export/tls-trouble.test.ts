import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tlsTrouble } from '../../src/export/transport/tls-trouble.js';

function told(code: string, reason?: string): string {
  return tlsTrouble(Object.assign(new Error('80FC:error:0A00:x.c:1601:'), { code, reason })).message;
}

test('what an alert of the collector means is said in words', () => {
  assert.match(
    told('ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', 'tlsv1 alert unknown ca'),
    /refuses .* export\.tls\.cert \(tlsv1/,
  );
  assert.match(told('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'required'), /refuses the certificate/);
  assert.match(told('ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED', 'expired'), /refuses the certificate/);
  assert.match(told('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', 'protocol version'), /no TLS 1\.2 or 1\.3/);
  assert.match(told('ERR_SSL_WRONG_VERSION_NUMBER', 'wrong version number'), /does not speak TLS/);
});

test('what has no words of its own is told as the library names it, and no other error is changed', () => {
  assert.equal(told('ERR_SSL_BAD_RECORD_MAC', 'bad record mac'), 'TLS: bad record mac');
  const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
  assert.equal(tlsTrouble(refused), refused);
});
