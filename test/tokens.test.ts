import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { allows, createToken, readTokens, revokeToken, verifyToken } from '../src/tokens.js';
import { temporaryDirectory } from './temporary.js';

const directory = temporaryDirectory();
let files = 0;
const newFile = (): string => join(directory, `deep/${files++}/tokens.json`);

describe('a token', () => {
  test('is 32 random bytes that are kept only as their hash, in a file for its owner alone', () => {
    const file = newFile();
    const secret = createToken(file, 'bot', ['flows:read']);
    assert.match(secret, /^pf_[\w-]{43}$/);
    assert.ok(!readFileSync(file, 'utf8').includes(secret.slice(3)));
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(join(file, '..')), ['tokens.json']);
  });

  test('is verified to the entry that it was made for', () => {
    const file = newFile();
    createToken(file, 'other', ['admin']);
    const secret = createToken(file, 'bot', ['flows:read', 'flows:read', 'cmdline:read']);
    const found = verifyToken(readTokens(file), secret);
    assert.equal(found?.name, 'bot');
    assert.deepEqual(found.scopes, ['flows:read', 'cmdline:read']);
    for (const wrong of ['', 'pf_', `${secret}x`, secret.toUpperCase()]) {
      assert.equal(verifyToken(readTokens(file), wrong), undefined);
    }
  });

  test('is nothing any more once revoked', () => {
    const file = newFile();
    const secret = createToken(file, 'bot', ['admin']);
    revokeToken(file, 'bot');
    assert.equal(verifyToken(readTokens(file), secret), undefined);
    assert.throws(() => revokeToken(file, 'bot'), { code: 'NOT_FOUND' });
  });

  test('needs a fit name of its own, and a scope', () => {
    const file = newFile();
    createToken(file, 'bot', ['admin']);
    assert.throws(() => createToken(file, 'bot', ['admin']), { code: 'USAGE', message: /already/ });
    assert.throws(() => createToken(file, 'a b\n', ['admin']), { code: 'USAGE', message: /a b\\x0a/ });
    assert.throws(() => createToken(file, 'new', []), { code: 'USAGE', message: /flows:read/ });
  });
});

describe('a tokens file', () => {
  test('that is not there holds no tokens', () => assert.deepEqual(readTokens(newFile()), []));

  test('that is damaged is named, not taken for an empty one', () => {
    for (const content of ['', '{', '[]', '{"version":2,"tokens":[]}', '{"version":1,"tokens":[{"name":"x"}]}']) {
      const file = join(directory, 'damaged.json');
      writeFileSync(file, content);
      assert.throws(() => readTokens(file), { code: 'TOKENS_INVALID', message: /damaged\.json/ });
      assert.throws(() => createToken(file, 'bot', ['admin']), { code: 'TOKENS_INVALID' });
      assert.equal(readFileSync(file, 'utf8'), content);
    }
  });

  test('that cannot be written is named', () => {
    const blocked = join(directory, 'a-file');
    writeFileSync(blocked, '');
    assert.throws(() => createToken(join(blocked, 'tokens.json'), 'bot', ['admin']), { code: 'TOKENS_INVALID' });
  });
});

test('admin allows everything, other scopes themselves', () => {
  assert.ok(allows(['admin'], 'cmdline:read'));
  assert.ok(allows(['flows:read'], 'flows:read'));
  assert.ok(!allows(['flows:read'], 'cmdline:read'));
  assert.ok(!allows([], 'flows:read'));
});
