import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommanderError } from 'commander';
import { describeFailure } from '../../src/commands/failure.js';
import { ProcflowError } from '../../src/errors.js';

test("a user's mistake is named without a stack; usage and configuration exit with 2", () => {
  assert.deepEqual(describeFailure(new ProcflowError('USAGE', 'no')), { text: 'procflow: no', exitCode: 2 });
  assert.deepEqual(describeFailure(new ProcflowError('CONFIG_INVALID', 'no')), { text: 'procflow: no', exitCode: 2 });
  assert.deepEqual(describeFailure(new ProcflowError('LISTEN_FAILED', 'no')), { text: 'procflow: no', exitCode: 1 });
});

test('help is no failure, a wrong flag is', () => {
  assert.deepEqual(describeFailure(new CommanderError(0, 'commander.helpDisplayed', '')), { text: '', exitCode: 0 });
  assert.deepEqual(describeFailure(new CommanderError(1, 'commander.unknownOption', 'x')), { text: '', exitCode: 2 });
});

test('our own bug shows its stack', () => {
  const { text, exitCode } = describeFailure(new TypeError('bug'));
  assert.match(text, /^procflow: internal error: TypeError: bug\n +at /);
  assert.equal(exitCode, 1);
});
