import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { Application } from '../../src/correlate/model.js';
import { startHarness, type Harness } from './harness.js';

const TLS: Application = {
  id: 91,
  protocol: 'TLS',
  name: 'Google',
  category: 'Web',
  confidence: 'PACKETS',
  serverName: 'www.google.com',
  alpn: ['h2', 'http/1.1'],
  tlsVersion: 'TLSv1.3',
  httpHost: null,
  httpUserAgent: null,
  dnsQuery: null,
  dnsReplyCode: null,
  sshClient: null,
  sshServer: null,
};
const DNS: Application = {
  ...TLS,
  protocol: 'DNS',
  name: 'DNS',
  category: 'Network',
  serverName: null,
  alpn: null,
  tlsVersion: null,
  dnsQuery: 'a.example',
  dnsReplyCode: 0,
};

let api: Harness;
before(async () => {
  api = await startHarness();
  for (const application of [TLS, TLS, DNS, null]) api.state.addFlow().application = application;
});

test('flows are found by application, the protocol below it, category and names', async () => {
  const found = async (query: string): Promise<unknown> => (await api.json(`/v1/flows?${query}`))['totalCount'];
  assert.equal(await found('application=Google'), 2);
  assert.equal(await found('application=TLS'), 2);
  assert.equal(await found('application=TLS,DNS'), 3);
  assert.equal(await found('not.application=TLS'), 2, 'also what is not known');
  assert.equal(await found('category^=Net'), 1);
  assert.equal(await found('serverName~=google'), 2);
  assert.equal(await found('dnsQuery=a.example'), 1);
  const { data } = await api.graphql(
    '{ flows(where: {application: {in: ["DNS"]}}) { nodes { application { name dnsQuery dnsReplyCode alpn } } } }',
  );
  assert.deepEqual((data as { flows: { nodes: unknown[] } }).flows.nodes, [
    { application: { name: 'DNS', dnsQuery: 'a.example', dnsReplyCode: 0, alpn: null } },
  ]);
});

test('totals are grouped by application', async () => {
  const { totals } = await api.json('/v1/totals?groupBy=application,protocol&orderBy=flows&fields=application,flows');
  assert.deepEqual(totals, [
    { application: 'Google', flows: 2 },
    { application: 'DNS', flows: 1 },
    { application: null, flows: 1 },
  ]);
});

test('a spreadsheet has a column for each part of the application', async () => {
  const text = await (await api.get('/v1/flows?application=Google&format=csv&fields=application&pageSize=1')).text();
  const [columns, row] = text.split('\r\n');
  assert.equal(
    columns,
    'application.protocol,application.name,application.category,application.confidence,application.serverName,application.alpn,application.tlsVersion,application.httpHost,application.httpUserAgent,application.dnsQuery,application.dnsReplyCode,application.sshClient,application.sshServer',
  );
  assert.equal(row, 'TLS,Google,Web,PACKETS,www.google.com,h2 http/1.1,TLSv1.3,,,,,,');
});
