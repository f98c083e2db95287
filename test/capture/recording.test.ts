import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { BatchWriter } from '../../src/capture/batch.js';
import { crc32 } from '../../src/capture/crc32.js';
import {
  readRecording,
  readRecordingHeader,
  RecordingWriter,
  type RecordedHost,
  type ReadRecordingOptions,
} from '../../src/capture/recording.js';

const HOST: RecordedHost = {
  hostId: 'h',
  bootId: 'b',
  hostname: 'box',
  kernel: '6.18',
  agentVersion: '0.1.0',
  source: 'ebpf',
  startMicros: 5,
};

function batchOf(cookie: number): ArrayBuffer {
  return new BatchWriter().add('socket', { cookie }).seal(cookie, 0);
}

async function temporary(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'recording-'));
  context.after(() => rm(folder, { recursive: true }));
  return join(folder, 'test.pfrec');
}

async function record(file: string, cookies: readonly number[]): Promise<void> {
  const writer = await RecordingWriter.create(file, HOST);
  for (const cookie of cookies) assert.ok(writer.append(batchOf(cookie), cookie * 1000));
  await writer.close();
}

/** What a reader gets, and what it hears in the end. */
async function replay(
  file: string,
  options: ReadRecordingOptions = {},
): Promise<{ cookies: (number | undefined)[]; error: string | null }> {
  const cookies: (number | undefined)[] = [];
  try {
    for await (const { batch } of readRecording(file, options)) cookies.push(batch.socket.cookie[0]);
    return { cookies, error: null };
  } catch (error) {
    assert.equal((error as { code: string }).code, 'RECORDING_INVALID');
    return { cookies, error: (error as Error).message };
  }
}

test('the checksum is the one of zlib', () => {
  assert.equal(crc32(Buffer.from('123456789')), 0xcbf43926);
  assert.equal(crc32(Buffer.from('56789'), crc32(Buffer.from('1234'))), 0xcbf43926);
});

test('a recording comes back as it was written, with its times', async (context) => {
  const file = await temporary(context);
  await record(file, [1, 2, 3]);
  assert.deepEqual((await readRecordingHeader(file)).host, HOST);
  const times: number[] = [];
  for await (const { batch, receivedMicros } of readRecording(file)) {
    times.push(receivedMicros);
    assert.equal(batch.readBootNs * 1000, receivedMicros);
  }
  assert.deepEqual(times, [1000, 2000, 3000]);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
});

test('at real speed the same batches come', async (context) => {
  const file = await temporary(context);
  await record(file, [1, 2, 4]);
  assert.deepEqual(await replay(file, { speed: 'real' }), { cookies: [1, 2, 4], error: null });
});

test('an aborted replay ends without an error, also while it waits', async (context) => {
  const file = await temporary(context);
  await record(file, [1, 1_000_000_000]);
  const abort = new AbortController();
  const cookies: (number | undefined)[] = [];
  for await (const { batch } of readRecording(file, { speed: 'real', signal: abort.signal })) {
    cookies.push(batch.socket.cookie[0]);
    setImmediate(() => abort.abort());
  }
  assert.deepEqual(cookies, [1]);
});

test('cut anywhere, it gives every whole batch and then says where it ends', async (context) => {
  const file = await temporary(context);
  await record(file, [1, 2, 3]);
  const whole = await readFile(file);
  const frameBytes = 16 + batchOf(1).byteLength;
  const firstFrame = whole.length - 16 - 3 * frameBytes;
  for (const cut of [
    0,
    10,
    100,
    firstFrame,
    firstFrame + 8,
    firstFrame + 40,
    firstFrame + frameBytes,
    whole.length - 1,
  ]) {
    await writeFile(file, whole.subarray(0, cut));
    const { cookies, error } = await replay(file);
    const good = Math.max(0, Math.floor((cut - firstFrame) / frameBytes));
    assert.deepEqual(cookies, [1, 2, 3].slice(0, good), `cut at ${cut}`);
    assert.match(error ?? '', /at byte \d+, after \d good batches: the file ends within/);
  }
});

test('a changed bit anywhere is noticed, and what came before is given', async (context) => {
  const file = await temporary(context);
  await record(file, [1, 2, 3]);
  const whole = await readFile(file);
  const frameBytes = 16 + batchOf(1).byteLength;
  const firstFrame = whole.length - 16 - 3 * frameBytes;
  for (let offset = 0; offset < whole.length; offset += 13) {
    const damaged = Buffer.from(whole);
    damaged[offset] = (damaged[offset] ?? 0) ^ 0x40;
    await writeFile(file, damaged);
    const { cookies, error } = await replay(file);
    assert.notEqual(error, null, `byte ${offset}`);
    const good = offset < firstFrame ? 0 : Math.floor((offset - firstFrame) / frameBytes);
    assert.deepEqual(cookies, [1, 2, 3].slice(0, good), `byte ${offset}`);
  }
});

test('a file of another kind, and none at all, are refused by name', async (context) => {
  const file = await temporary(context);
  assert.match((await replay(file)).error ?? '', /cannot be opened: ENOENT/);
  await writeFile(file, 'no recording at all, only text');
  assert.match((await replay(file)).error ?? '', /no procflow recording/);
});

test('what the disk does not take in time is dropped and counted', async (context) => {
  const file = await temporary(context);
  const size = batchOf(1).byteLength + 16;
  const writer = await RecordingWriter.create(file, HOST, { maxBufferedBytes: 2 * size });
  assert.deepEqual(
    [1, 2, 3].map((cookie) => writer.append(batchOf(cookie), 0)),
    [true, true, false],
  );
  assert.equal(writer.dropped, 1);
  await writer.flushed();
  assert.ok(writer.append(batchOf(4), 0));
  await writer.close();
  assert.deepEqual(await replay(file), { cookies: [1, 2, 4], error: null });
});

test('a full disk is said clearly and counted', { skip: !existsSync('/dev/full') && 'no /dev/full here' }, async () => {
  await assert.rejects(RecordingWriter.create('/dev/full', HOST), /\/dev\/full cannot be written: the disk is full/);
});
