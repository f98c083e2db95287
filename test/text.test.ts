import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { didYouMean, nearest, printable } from '../src/text.js';

describe('nearest', () => {
  const known = ['process', 'processes', 'port', 'protocol', 'serverPort', 'user'];
  const found: [word: string, meant: string | undefined][] = [
    ['proces', 'process'],
    ['prot', 'port'],
    ['PORT', 'port'],
    ['server-port', 'serverPort'],
    ['server_prot', 'serverPort'],
    ['protcool', 'protocol'],
    ['usr', 'user'],
    ['elephant', undefined],
    ['', undefined],
    ['x', undefined],
  ];
  for (const [word, meant] of found) {
    test(`${JSON.stringify(word)} means ${meant ?? 'nothing'}`, () => assert.equal(nearest(word, known), meant));
  }

  test('takes the first of equally near names', () => assert.equal(nearest('ab1', ['ab2', 'ab3']), 'ab2'));

  test('compares only the beginning of an endless word', () => {
    assert.equal(nearest('a'.repeat(1_000_000), ['process']), undefined);
  });

  test('makes a hint, or none', () => {
    assert.equal(didYouMean('prot', known), '; did you mean "port"?');
    assert.equal(didYouMean('elephant', known), '');
  });
});

describe('printable', () => {
  const shown: [name: string, text: string | Uint8Array, expected: string][] = [
    ['plain text stays', 'nginx: worker process', 'nginx: worker process'],
    ['letters of all languages and emoji stay', 'Grüße, 日本, 👩‍💻', 'Grüße, 日本, 👩‍💻'],
    ['C0 and DEL', 'a\u0000\n\u001b[31mb\u007f', 'a\\x00\\x0a\\x1b[31mb\\x7f'],
    ['C1', 'a\u009bm', 'a\\x9bm'],
    ['bidirectional overrides and isolates', 'a\u202eb\u2066c', 'a\\u{202e}b\\u{2066}c'],
    ['line separators', 'a\u2028b', 'a\\u{2028}b'],
    ['a surrogate alone', 'a\ud800b', 'a\\u{d800}b'],
    ['a surrogate pair stays', '\ud83d\ude00', '😀'],
    ['bytes of valid UTF-8', Buffer.from('Grüße 😀'), 'Grüße 😀'],
    ['bytes that are no UTF-8', Buffer.from([0x61, 0xff, 0xc3, 0xbc, 0xc3]), 'a\\xffü\\xc3'],
    ['overlong forms', Buffer.from([0xc0, 0xaf]), '\\xc0\\xaf'],
    ['a surrogate in UTF-8', Buffer.from([0xed, 0xa0, 0x80]), '\\xed\\xa0\\x80'],
    ['control characters in bytes', Buffer.from([0x1b, 0x5b]), '\\x1b['],
    ['nothing', '', ''],
  ];
  for (const [name, text, expected] of shown) {
    test(name, () => assert.equal(printable(text), expected));
  }

  test('remembers nothing from call to call', () => {
    assert.equal(printable('\u0007'), '\\x07');
    assert.equal(printable('\u0007'), '\\x07');
  });
});
