// Inputs to begin with. The first byte says what is fed: 0 the assembler of exchanges, 1 the framing of chunks, 2 heads.

const HEADS = [
  'GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: b\r\n\r\n',
  'POST /x HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello',
  'POST /x HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
  'CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n',
  'OPTIONS * HTTP/1.0\nExpect: 100-continue\n\n',
  `GET /${'x'.repeat(600)} HTTP/1.1\r\nCookie: ${'c'.repeat(4000)}\r\nContent-Length: 1\r\n\r\n`,
  'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nhello',
  'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n',
];

/** A record as the target reads it: event, cookie, flags, ordinal, time, bytes, body, thread, then a head's length. */
const record = (event, flags, text = '') =>
  Buffer.concat([Buffer.from([event, 0, flags, 0, 9, 40, 0, 1]), event === 0 ? sized(text) : Buffer.alloc(0)]);
const sized = (text) => Buffer.concat([Buffer.from([Math.min(text.length, 255)]), Buffer.from(text.slice(0, 255))]);

export function seeds() {
  const heads = HEADS.flatMap((text) =>
    // How it is split: in one message, and in some.
    [
      [2, 255, 255],
      [2, 5, 2],
    ].map((split) => Buffer.concat([Buffer.from(split), Buffer.from(text)])),
  );
  const exchanges = HEADS.map((text) =>
    Buffer.concat([Buffer.from([0]), record(0, 64 | 7, text), record(2, 64), record(0, 1, text), record(3, 0)]),
  );
  const chunks = Buffer.concat([Buffer.from([1, 15]), Buffer.from('5\r\nhello\r\n1A;a=b\r\n0\r\nA: b\r\n\r\n')]);
  return [...heads, ...exchanges, chunks];
}
