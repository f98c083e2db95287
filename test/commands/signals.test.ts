import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stopOnSignals } from '../../src/commands/signals.js';

test('the first signal aborts, its echo does nothing, a second wish exits at once', () => {
  const codes: number[] = [];
  let clock = 1000;
  const { signal, dispose } = stopOnSignals(
    (code) => codes.push(code),
    () => clock,
  );
  try {
    process.emit('SIGINT', 'SIGINT');
    assert.ok(signal.aborted);
    assert.match(String(signal.reason), /SIGINT/);
    clock += 20;
    process.emit('SIGINT', 'SIGINT');
    assert.deepEqual(codes, []);
    clock += 1000;
    process.emit('SIGTERM', 'SIGTERM');
    assert.deepEqual(codes, [143]);
  } finally {
    dispose();
  }
});

test('the signals have their default effect again afterwards', () => {
  const before = process.listenerCount('SIGTERM');
  stopOnSignals().dispose();
  assert.equal(process.listenerCount('SIGTERM'), before);
});
