import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { ExporterStatus } from '../../src/export/index.js';
import { T0 } from './fake-state.js';
import { startHarness, type Harness } from './harness.js';

const EXPORTER: ExporterStatus = {
  name: 'ipfix+tcp://collector.example:4739',
  format: 'IPFIX',
  transport: 'TCP',
  state: 'DOWN',
  sinceMicros: T0,
  sentRecords: 2 ** 53 + 2,
  sentMessages: 7,
  sentOctets: 9000,
  notSentRecords: 12,
  notSentPackets: 34,
  notSentOctets: 5678,
  queuedBytes: 0,
  templates: 3,
  sessions: 1,
  lastError: 'connect ECONNREFUSED 192.0.2.1:4739',
  lastErrorMicros: T0 + 1,
};
const SHOWN = {
  name: EXPORTER.name,
  format: 'IPFIX',
  transport: 'TCP',
  state: 'DOWN',
  since: '2026-11-23T08:43:09.064028Z',
  sentRecords: '9007199254740994',
  sentMessages: 7,
  sentOctets: 9000,
  notSentRecords: 12,
  notSentPackets: 34,
  notSentOctets: 5678,
  queuedBytes: 0,
  templates: 3,
  sessions: 1,
  lastError: EXPORTER.lastError,
  lastErrorTime: '2026-11-23T08:43:09.064029Z',
};

let api: Harness;
before(async () => {
  api = await startHarness({ exporters: () => [EXPORTER] });
});

test('exporters by GraphQL and REST say the same', async () => {
  const fields = Object.keys(SHOWN).join(' ');
  const answer = await api.graphql(`{ exporters { ${fields} } host { exporters { name } losses { place count } } }`);
  const { exporters, host } = answer['data'] as {
    exporters: unknown[];
    host: { exporters: unknown[]; losses: { place: string; count: number }[] };
  };
  assert.deepEqual(exporters, [SHOWN]);
  assert.deepEqual(host.exporters, [{ name: EXPORTER.name }]);
  assert.equal(host.losses.find(({ place }) => place === 'exporter')?.count, 12);
  assert.deepEqual((await api.json('/v1/status'))['exporters'], [SHOWN]);
});

test('exporters in the metrics', async () => {
  const metrics = await (await api.get('/metrics')).text();
  assert.match(metrics, /^procflow_exporter_up\{exporter="ipfix\+tcp:\/\/collector\.example:4739"\} 0$/m);
  assert.match(metrics, /^procflow_exporter_not_sent_records_total\{[^}]*\} 12$/m);
  assert.match(metrics, /^procflow_exporter_not_sent_packets_total\{[^}]*\} 34$/m);
  assert.match(metrics, /^procflow_exporter_not_sent_octets_total\{[^}]*\} 5678$/m);
});
