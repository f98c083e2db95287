/**
 * Run in a network namespace of its own: sends over UDP while the path becomes narrower, and prints what happened, as JSON,
 * on standard output.
 */
import { execFileSync } from 'node:child_process';
import { ipfix } from '../../src/export/ipfix.js';
import { DEFAULT_TEMPLATE } from '../../src/export/macros.js';
import { Session } from '../../src/export/session.js';
import { fieldsOf, parseSpecification } from '../../src/export/specification.js';
import { UdpTransport } from '../../src/export/transport/udp.js';
import { eventually } from '../system/harness/eventually.js';
import { UdpCollector } from './collectors.js';
import { BOOT_MS, sampleRecord, T0_MS } from './stage.js';

const RECORDS = 100;

function pathTakes(octets: number): void {
  execFileSync('ip', ['link', 'set', 'lo', 'up', 'mtu', String(octets)]);
}

pathTakes(1300);
const collector = await UdpCollector.start();
const transport = new UdpTransport({ host: '127.0.0.1', port: collector.port, mtu: 1500, retryMs: 60_000 });
let now = T0_MS;
const session = new Session({
  ...{ format: ipfix, fields: fieldsOf(parseSpecification(DEFAULT_TEMPLATE), ipfix), transport },
  ...{ domain: 7, bootMs: BOOT_MS, nowMs: () => now, timeouts: { active: 120, idle: 30 } },
  ...{ templateRefreshMs: 600_000, templateRefreshPackets: 20, statisticsIntervalMs: 60_000, maxDelayMs: 500 },
});
const errors = new Set<string>();
transport.start({
  up: () => session.up(),
  down: (error) => {
    session.down();
    if (error !== null) errors.add(error.message);
  },
  failed: (error) => errors.add(error.message),
  lost: (contents) => session.lost(contents),
});
const longest: number[] = [];
for (const mtu of [1300, 900, 900]) {
  pathTakes(mtu);
  await eventually(() => {
    if (!transport.isReady) throw new Error('it is not up');
  });
  const before = collector.received.messages.length;
  for (let i = 0; i < RECORDS; i++) session.take(sampleRecord());
  now += 500;
  session.tick();
  await eventually(() => {
    if (transport.queuedBytes > 0) throw new Error('datagrams wait');
    if (collector.received.flows.length !== session.ledger.totals.flowRecords) throw new Error('some are under way');
  });
  longest.push(Math.max(...collector.received.messages.slice(before).map(({ length }) => length)));
}
const records = session.ledger.totals.flowRecords + session.ledger.notSent.flows;
console.log(JSON.stringify({ longest, errors: [...errors], records, received: collector.received.flows.length }));
await session.close();
await collector.stop();
