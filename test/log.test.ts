import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLog } from '../src/log.js';

function logged(format: 'json' | 'pretty', write: (log: ReturnType<typeof createLog>) => void): string {
  let text = '';
  write(createLog({ level: 'info', format }, { write: (line) => (text += line) }));
  return text;
}

test('JSON lines have time, level and fields', () => {
  const line = JSON.parse(logged('json', (log) => log.info({ port: 7441 }, 'listening'))) as Record<string, unknown>;
  assert.deepEqual({ ...line, time: '' }, { level: 'info', time: '', port: 7441, msg: 'listening' });
  assert.match(String(line['time']), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
});

test('pretty lines are one line each, also with hostile text in them', () => {
  const text = logged('pretty', (log) => log.warn({ comm: 'a\nb\u001b[2J', n: 1 }, 'odd \u202ename'));
  assert.match(text, /^[\d:.]{12} WARN {2}odd \\u\{202e\}name comm="a\\nb\\u001b\[2J" n=1\n$/);
});

test('pretty lines show the stack of an error', () => {
  const text = logged('pretty', (log) => log.error(new Error('broken')));
  assert.match(text, /ERROR broken\n {4}Error: broken\n {4} +at /);
});

test('levels below the chosen one are left out', () => {
  assert.equal(
    logged('json', (log) => log.debug('detail')),
    '',
  );
});
