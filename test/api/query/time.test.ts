import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatTime, parseTime } from '../../../src/api/query/index.js';

test('a time is read in all its forms', () => {
  const cases: readonly [unknown, unknown][] = [
    ['2026-11-23T08:43:09.064028Z', 1_795_423_389_064_028],
    ['2026-11-23t08:43:09z', 1_795_423_389_000_000],
    ['2026-11-23T09:43:09.5+01:00', 1_795_423_389_500_000],
    [1_795_423_389, 1_795_423_389_000_000],
    ['1795423389.064', 1_795_423_389_064_000],
    ['-15m', { agoMicros: 900e6 }],
    ['-1h30m', { agoMicros: 5400e6 }],
    ['-500ms', { agoMicros: 5e5 }],
    ['now', { agoMicros: 0 }],
    [0, 0],
  ];
  for (const [given, expected] of cases) assert.deepEqual(parseTime(given), expected, String(given));
});

test('what is no time is refused with the forms that are', () => {
  const bad = [
    'yesterday',
    '',
    '-15',
    '-m',
    '2026-02-30T00:00:00Z',
    '2026-11-23',
    NaN,
    -1,
    1e15,
    null,
    true,
    {},
    '15m',
    '-1y',
  ];
  for (const given of bad) assert.throws(() => parseTime(given), /is not a time.*RFC 3339/, JSON.stringify(given));
});

test('a time is written with microseconds, and the remembered second is not mistaken', () => {
  assert.equal(formatTime(1_795_423_389_064_028), '2026-11-23T08:43:09.064028Z');
  assert.equal(formatTime(1_795_423_389_000_001), '2026-11-23T08:43:09.000001Z');
  assert.equal(formatTime(1_795_423_390_999_999), '2026-11-23T08:43:10.999999Z');
  assert.equal(formatTime(0), '1970-01-01T00:00:00.000000Z');
  for (let i = 0; i < 1000; i++) {
    const micros = Math.floor(Math.random() * 4e15);
    assert.equal(parseTime(formatTime(micros)), micros);
  }
});
