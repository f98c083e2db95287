import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseBytes, parseMilliseconds } from '../../src/config/units.js';

test('sizes', () => {
  const sizes: [string, number | undefined][] = [
    ['4096', 4096],
    ['16MiB', 16_777_216],
    ['16 mib', 16_777_216],
    ['1.5k', 1536],
    ['1MB', 1_000_000],
    ['', undefined],
    ['-1', undefined],
    ['1 parsec', undefined],
    ['1constructor', undefined],
    ['0x10', undefined],
  ];
  for (const [text, bytes] of sizes) assert.equal(parseBytes(text), bytes, text);
});

test('durations', () => {
  const durations: [string, number | undefined][] = [
    ['250', 250],
    ['250ms', 250],
    ['30s', 30_000],
    ['1.5h', 5_400_000],
    ['2m', 120_000],
    ['30 years', undefined],
    ['s', undefined],
  ];
  for (const [text, ms] of durations) assert.equal(parseMilliseconds(text), ms, text);
});
