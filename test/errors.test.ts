import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  asError,
  codeOfGraphQL,
  describeCode,
  ERROR_CODES,
  invariant,
  ProcflowError,
  unreachable,
} from '../src/errors.js';

describe('ProcflowError', () => {
  test('has status and title of its code', () => {
    const error = new ProcflowError('NOT_FOUND', 'no such flow');
    assert.equal(error.status, 404);
    assert.equal(error.title, 'There is nothing by that name');
    assert.equal(error.message, 'no such flow');
    assert.deepEqual(error.errors, []);
  });

  test('keeps the parameters and the cause', () => {
    const cause = new Error('inside');
    const errors = [{ parameter: 'port', message: 'expected a port' }];
    const error = new ProcflowError('INVALID_ARGUMENT', 'port is wrong', { errors, cause });
    assert.deepEqual(error.errors, errors);
    assert.equal(error.cause, cause);
  });

  test('is known by its mark, other errors are not', () => {
    assert.ok({ [Symbol.for('procflow.error')]: true } instanceof ProcflowError);
    assert.ok(!(new Error('other') instanceof ProcflowError));
  });
});

test('every code has an HTTP error status and a title', () => {
  for (const code of ERROR_CODES) {
    const { status, title } = describeCode(code);
    assert.ok(status >= 400 && status < 600, code);
    assert.ok(title.length > 0, code);
  }
});

test('codes of GraphQL servers become ours, unknown ones INTERNAL', () => {
  assert.equal(codeOfGraphQL('INTERNAL_SERVER_ERROR'), 'INTERNAL');
  assert.equal(codeOfGraphQL('QUERY_TOO_DEEP'), 'QUERY_TOO_DEEP');
  assert.equal(codeOfGraphQL('toString'), 'INTERNAL');
  assert.equal(codeOfGraphQL(undefined), 'INTERNAL');
});

test('anything thrown becomes an error', () => {
  const error = new Error('x');
  assert.equal(asError(error), error);
  assert.match(asError('text').message, /text/);
  assert.match(asError(Object.create(null)).message, /no text/);
});

test('a broken invariant throws, a kept one does not', () => {
  invariant(0, 'zero is a value');
  assert.throws(() => invariant(undefined, 'the thing is there'), /broken invariant: the thing is there/);
});

test('an unreachable case throws with the value', () => {
  assert.throws(() => unreachable('surprise' as never), /unexpected "surprise"/);
});
