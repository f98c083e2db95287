import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually } from '../system/harness/eventually.js';
import { temporaryDirectory } from '../temporary.js';
import { run } from '../system/harness/children.js';
import { Authority } from './certificates.js';
import { Received, StreamCollector, UdpCollector } from './collectors.js';
import { ExportHarness } from './harness.js';

const directory = temporaryDirectory();
const ours = new Authority(directory, 'ours');
const theirs = new Authority(directory, 'theirs');
const client = ours.issue('DNS:agent.example');
const TLS = {
  'export.tls.ca': ours.file,
  'export.tls.cert': client.certFile,
  'export.tls.key': client.keyFile,
  'export.reconnectMs': '200',
};

function until(check: () => boolean, what: () => string): Promise<void> {
  return eventually(() => {
    if (!check()) throw new Error(what());
  });
}

test('UDP: all records arrive, and statistics tell of all of them', async () => {
  const collector = await UdpCollector.start();
  const harness = new ExportHarness({ 'export.to': `ipfix://127.0.0.1:${collector.port},netflow9://127.0.0.1:9` });
  await harness.up();
  harness.flows(1000);
  await until(
    () => collector.received.flows.length === 2000,
    () => `${collector.received.flows.length} records`,
  );
  await harness.close();
  await until(
    () => collector.received.latest('exportedFlowRecordTotalCount') === 2000,
    () => 'no statistics yet',
  );
  assert.equal(collector.received.decoder.gaps, 0);
  assert.equal(collector.received.latest('exportedMessageTotalCount'), collector.received.messages.length - 1);
  assert.deepEqual([harness.status(0).sentRecords, harness.status(0).notSentRecords], [2000, 0]);
  await collector.stop();
});

test('UDP: no datagram is larger than the MTU lets it be', async () => {
  const collector = await UdpCollector.start();
  const to = `ipfix://127.0.0.1:${collector.port}`;
  const harness = new ExportHarness({ 'export.to': to, 'export.mtu': '576', 'export.template': '@NTOPNG@ @PROCESS@' });
  await harness.up();
  harness.flows(100);
  await until(
    () => collector.received.flows.length === 100,
    () => `${collector.received.flows.length} records`,
  );
  const lengths = collector.received.messages.map(({ length }) => length);
  assert.ok(Math.max(...lengths) <= 576 - 28 && Math.max(...lengths) > 400);
  await harness.close();
  await collector.stop();
});

test('with biflows, NetFlow v9 gets a record for each direction all the same', async () => {
  const [ipfix, netflow9] = [await UdpCollector.start(), await UdpCollector.start()];
  const to = `ipfix://127.0.0.1:${ipfix.port},netflow9://127.0.0.1:${netflow9.port}`;
  const harness = new ExportHarness({ 'export.to': to, 'export.biflow': 'true' });
  await harness.up(0);
  await harness.up(1);
  harness.flows(10);
  await harness.close();
  await until(
    () => ipfix.received.flows.length === 10 && netflow9.received.flows.length === 20,
    () => `${ipfix.received.flows.length} and ${netflow9.received.flows.length} records`,
  );
  const octets = (name: string, { flows }: Received): number =>
    flows.reduce((sum, { values }) => sum + Number(values[name] ?? 0), 0);
  assert.equal(octets('octetDeltaCount', ipfix.received) + octets('reverseOctetDeltaCount', ipfix.received), 14_000);
  assert.equal(octets('octetDeltaCount', netflow9.received), 14_000);
  await Promise.all([ipfix.stop(), netflow9.stop()]);
});

/** What the program prints. */
interface NarrowPath {
  readonly longest: readonly number[];
  readonly errors: readonly string[];
  readonly records: number;
  readonly received: number;
}

test('UDP: no datagram is fragmented where the path takes less than the MTU', async () => {
  const program = new URL('./narrow-path.js', import.meta.url).pathname;
  const text = await run('unshare', '--map-root-user', '--net', process.execPath, program);
  const { longest, errors, records, received } = JSON.parse(text) as NarrowPath;
  const [at1300 = 0, , at900 = 0] = longest;
  assert.ok(at1300 > 1000 && at1300 <= 1300 - 28 && at900 > 600 && at900 <= 900 - 28, text);
  assert.ok(errors.includes('the path takes packets of 900 octets only'), text);
  // All of them are there, or known not to be.
  assert.ok(records === 300 && received >= 200, text);
});

test('UDP: nobody listens, then somebody does', async () => {
  const reserved = await UdpCollector.start();
  const { port } = reserved;
  await reserved.stop();
  const settings = { 'export.to': `netflow9://127.0.0.1:${port}`, 'export.templateRefreshPackets': '1' };
  const harness = new ExportHarness({ ...settings, 'export.maxDelayMs': '0' });
  await harness.up();
  let records = 0;
  const oneMore = (): void => {
    harness.flows(1);
    records += 2;
  };
  await eventually(() => {
    oneMore();
    assert.match(harness.status().lastError ?? '', /nobody listens/);
    assert.ok(harness.status().notSentRecords > 10);
  });
  const collector = await UdpCollector.start(port);
  await eventually(() => {
    oneMore();
    assert.ok(collector.received.flows.length > 0);
  });
  await harness.close();
  // Those that were sent when nobody listened are known not to have got there.
  await until(
    () => collector.received.flows.length + harness.status().notSentRecords === records,
    () => `${collector.received.flows.length} and ${harness.status().notSentRecords} of ${records} records`,
  );
  await until(
    () => Number(collector.received.latest('notSentFlowTotalCount')) > 0,
    () => 'the losses were not told',
  );
  await collector.stop();
});

test('TCP: every message whole, FIN and no reset at the end', async () => {
  const collector = await StreamCollector.start();
  const harness = new ExportHarness({ 'export.to': `ipfix+tcp://127.0.0.1:${collector.port}` });
  await harness.up();
  harness.flows(3000);
  await harness.close();
  await until(
    () => collector.last.isComplete,
    () => 'the connection lasts',
  );
  assert.equal(collector.last.flows.length, 6000);
  assert.equal(collector.last.decoder.gaps, 0);
  assert.equal(collector.last.error, null);
  assert.equal(collector.last.latest('exportedFlowRecordTotalCount'), 6000);
  await collector.stop();
});

test('TCP: a collector that goes and comes back is told what it missed; another notices nothing', async () => {
  const [one, other] = [await StreamCollector.start(), await StreamCollector.start()];
  const { port } = one;
  const to = `ipfix+tcp://127.0.0.1:${port},ipfix+tcp://127.0.0.1:${other.port}`;
  const harness = new ExportHarness({ 'export.to': to, 'export.reconnectMs': '200' });
  await harness.up(0);
  await harness.up(1);
  harness.flows(10);
  await until(
    () => one.last.flows.length === 20,
    () => `${one.last.flows.length} records`,
  );
  await one.stop();
  await until(
    () => harness.status(0).state === 'DOWN',
    () => 'it is still up',
  );
  harness.flows(50);
  assert.deepEqual([harness.status(0).notSentRecords, harness.status(1).notSentRecords], [100, 0]);
  const back = await StreamCollector.start({ port });
  await harness.up(0);
  harness.flows(5);
  await until(
    () => back.last.flows.length === 10,
    () => `${back.last.flows.length} records`,
  );
  assert.equal(back.last.latest('notSentFlowTotalCount'), 100);
  assert.equal(back.last.latest('notSentPacketTotalCount'), 50 * 14);
  assert.equal(back.last.latest('notSentOctetTotalCount'), 50 * 1400);
  for (const { sequence } of back.last.messages.slice(0, 2)) assert.equal(sequence, 0);
  await until(
    () => other.last.flows.length === 130,
    () => `${other.last.flows.length} records`,
  );
  await harness.close();
  await Promise.all([back.stop(), other.stop()]);
});

test('TCP: a collector that hangs costs bounded memory and counted records, and goes on where it stopped', async () => {
  const collector = await StreamCollector.start();
  collector.hangs = true;
  const settings = { 'export.to': `ipfix+tcp://127.0.0.1:${collector.port}`, 'export.queueBytes': '65536' };
  const harness = new ExportHarness({ ...settings, 'export.statisticsIntervalMs': '1s' });
  await harness.up();
  let flows = 0;
  // The kernel's buffers of both ends fill up first; the turn between lets the socket write.
  while (harness.status().notSentRecords === 0 && flows < 1_000_000) {
    harness.flows(500);
    flows += 500;
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(harness.status().notSentRecords > 0);
  assert.ok(harness.status().queuedBytes < 65_536 + 2 * 16_384, `${harness.status().queuedBytes} bytes wait`);
  collector.readOn();
  await until(
    () => collector.last.flows.length + harness.status().notSentRecords === 2 * flows,
    () => `${collector.last.flows.length} of ${harness.status().sentRecords} records`,
  );
  assert.deepEqual([harness.status().queuedBytes, harness.status().sentRecords], [0, collector.last.flows.length]);
  await until(
    () => collector.last.latest('notSentFlowTotalCount') === harness.status().notSentRecords,
    () => 'the losses were not told',
  );
  assert.equal(collector.last.decoder.gaps, 0);
  await harness.close();
  await collector.stop();
});

test('TCP: the first attempt is repeated after a minute, by default', async () => {
  const harness = new ExportHarness({ 'export.to': 'ipfix+tcp://127.0.0.1:1' });
  await harness.failed(/ECONNREFUSED/);
  const since = harness.status().lastErrorMicros;
  harness.flows(3);
  await new Promise((resolve) => setTimeout(resolve, 1500));
  assert.deepEqual([harness.status().lastErrorMicros, harness.status().notSentRecords], [since, 6]);
  await harness.close();
});

test('TLS: both ends show certificates, and nothing is lost at the close', async () => {
  const server = ours.issue('DNS:localhost,IP:127.0.0.1');
  const tls = { cert: server.cert, key: server.key, ca: ours.cert, requestCert: true, rejectUnauthorized: true };
  const collector = await StreamCollector.start({ tls });
  for (const host of ['localhost', '127.0.0.1']) {
    const harness = new ExportHarness({ ...TLS, 'export.to': `ipfix+tls://${host}:${collector.port}` });
    await harness.up();
    harness.flows(3000);
    await harness.close();
    await until(
      () => collector.last.isComplete,
      () => 'the connection lasts',
    );
    assert.equal(collector.last.flows.length, 6000);
    assert.equal(collector.last.latest('exportedFlowRecordTotalCount'), 6000);
  }
  await collector.stop();
});

test('TLS: what cannot be trusted gets nothing, and says why', async () => {
  const good = ours.issue('DNS:localhost');
  const expired = ours.issue('DNS:localhost', 0);
  const cases = [
    { what: 'another name', tls: ours.issue('DNS:collector.example'), error: /is for another name/ },
    {
      what: 'an unknown authority',
      tls: theirs.issue('DNS:localhost'),
      error: /no known authority .* see export\.tls\.ca/,
    },
    { what: 'an expired certificate', tls: expired, error: /collector's certificate has expired/ },
    {
      what: 'TLS 1.1',
      tls: { ...good, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' } as const,
      error: /has no TLS 1\.2 or 1\.3/,
    },
  ];
  for (const { what, tls, error } of cases) {
    const collector = await StreamCollector.start({ tls: { ...tls, ca: ours.cert, requestCert: true } });
    const harness = new ExportHarness({ ...TLS, 'export.to': `ipfix+tls://localhost:${collector.port}` });
    await harness.failed(error);
    harness.flows(5);
    assert.equal(harness.status().state, 'DOWN', what);
    assert.equal(harness.status().notSentRecords, 10);
    assert.ok(
      collector.connections.every(({ messages }) => messages.length === 0),
      what,
    );
    assert.ok(
      harness.logged.some((line) => line.includes('"warn"') && error.test(line)),
      what,
    );
    await harness.close();
    await collector.stop();
  }
});

test('TLS: without a certificate of its own the agent does not start', () => {
  assert.throws(() => new ExportHarness({ 'export.to': 'ipfix+tls://localhost:1' }), {
    code: 'CONFIG_INVALID',
    message: /export\.tls\.cert/,
  });
});

function readFile(path: string): Received {
  const received = new Received();
  received.piece(readFileSync(path));
  received.ended();
  assert.ok(received.isComplete);
  return received;
}

test('files: each is a session of its own, old ones are deleted', async () => {
  const path = join(directory, 'flows.ipfix');
  writeFileSync(path, 'what was there before');
  const settings = { 'export.to': `ipfix+file:${path}`, 'export.fileMaxBytes': '65536', 'export.fileKeep': '3' };
  const harness = new ExportHarness({ ...settings, 'export.maxDelayMs': '0' });
  await harness.up();
  for (let round = 1; round <= 4; round++) {
    harness.flows(500);
    await until(
      () => harness.status().sessions > round,
      () => 'no next file yet',
    );
  }
  harness.flows(7);
  await harness.close();
  assert.equal(readFile(path).flows.length, 14);
  const kept = readdirSync(directory).filter((name) => name.startsWith('flows.ipfix.'));
  assert.equal(kept.length, 3);
  for (const name of kept) {
    const received = readFile(join(directory, name));
    assert.equal(received.flows.length, 1000);
    for (const { sequence } of received.messages.slice(0, 2)) assert.equal(sequence, 0);
  }
  assert.deepEqual([harness.status().sentRecords, harness.status().notSentRecords], [4014, 0]);
});

test('files: what cannot be written is counted', async () => {
  const harness = new ExportHarness({ 'export.to': `ipfix+file:${directory}/missing/flows.ipfix` });
  await harness.failed(/ENOENT/);
  harness.flows(2);
  assert.deepEqual([harness.status().state, harness.status().notSentRecords], ['DOWN', 4]);
  await harness.close();
});
