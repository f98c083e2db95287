import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import test from 'node:test';
import { UserDirectory } from '../../src/correlate/users.js';
import { makeRedactor } from '../../src/correlate/redact.js';

/** A name service that answers when told. */
function service(names: Record<number, string>) {
  const asked: (readonly number[])[] = [];
  const time = { ms: 0 };
  const directory = new UserDirectory(
    (uids) => {
      asked.push(uids);
      return Promise.resolve(uids.map((uid) => names[uid] ?? null));
    },
    () => time.ms,
  );
  return { asked, directory, names, time };
}

test('a uid is a number first and a name later; uids met together are asked for together', async () => {
  const { asked, directory } = service({ 0: 'root', 33: 'www-data' });
  assert.deepEqual(
    [0, 33, 999].map((uid) => directory.user(uid).name),
    ['0', '33', '999'],
  );
  await turn();
  await turn();
  assert.deepEqual(asked, [[0, 33, 999]]);
  assert.deepEqual(
    [0, 33, 999].map((uid) => directory.user(uid).name),
    ['root', 'www-data', '999'],
  );
  assert.equal(directory.uidOf('www-data'), 33);
  assert.equal(directory.uidOf('33'), undefined);
  assert.equal(directory.uidOf('999'), 999);
});

test('a name is null before it was looked up, and stays when it is looked up again', async () => {
  const { directory } = service({ 0: 'root' });
  assert.deepEqual([directory.nameOf(0), directory.nameOf(999)], [null, null]);
  await turn();
  await turn();
  assert.deepEqual([directory.nameOf(0), directory.nameOf(999)], ['root', '999']);
  directory.invalidate();
  assert.equal(directory.nameOf(0), 'root');
});

test('a name is asked for again when it is stale, and when the accounts have changed', async () => {
  const { asked, directory, names, time } = service({ 1000: 'ann' });
  directory.user(1000);
  await turn();
  await turn();
  directory.user(1000);
  await turn();
  assert.equal(asked.length, 1);
  names[1000] = 'anna';
  time.ms = 60_001;
  assert.equal(directory.user(1000).name, 'ann', 'the old name serves meanwhile');
  await turn();
  await turn();
  assert.equal(directory.user(1000).name, 'anna');
  assert.equal(directory.uidOf('ann'), undefined);
  names[1000] = 'bob';
  directory.invalidate();
  await turn();
  await turn();
  assert.equal(directory.user(1000).name, 'bob');
});

test('a name service that fails leaves the old names, and is counted', async () => {
  const directory = new UserDirectory(() => Promise.reject(new Error('down')));
  directory.user(5);
  await turn();
  await turn();
  assert.equal(directory.user(5).name, '5');
  assert.equal(directory.failed, 1);
});

test('secrets are taken out of arguments, also across two of them', () => {
  const redact = makeRedactor(['--password[= ](\\S+)', 'token-\\w+', '(?:a)(b)?']);
  assert.deepEqual(redact(['mysql', '--password', 'x y', '--password=q']), [
    'mysql',
    '--password',
    '*** y',
    '--password=***',
  ]);
  assert.deepEqual(redact(['curl', 'http://h/?token-123&ab']), ['curl', 'http://h/?***&a***']);
  const clean = ['ls', '-l'];
  assert.equal(redact(clean), clean);
  assert.equal(makeRedactor([])(clean), clean);
});
