import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProcessShare } from '../../../src/correlate/model.js';
import {
  Caller,
  Queries,
  type FlowDimension,
  type FlowTotal,
  type TotalsArguments,
} from '../../../src/api/query/index.js';
import { LOCAL } from '../../../src/api/auth/index.js';
import { FakeState } from '../fake-state.js';

function setUp() {
  const state = new FakeState();
  const nginx = state.addProcess({ name: 'nginx', uid: 33 });
  const curl = state.addProcess({ name: 'curl', uid: 1000 });
  const queries = new Queries(state, 1000);
  const totals = (groupBy: FlowDimension[], more: Partial<TotalsArguments> = {}): FlowTotal[] => {
    return queries.totals({ groupBy, ...more }, new Caller(LOCAL.scopes, state.now, 5000));
  };
  return { state, nginx, curl, totals };
}

test('a flow between two local processes counts once for each, with its own view', () => {
  const { state, nginx, curl, totals } = setUp();
  state.addFlow({ client: curl, server: nginx, sent: 100, received: 5000 });
  state.addFlow({ client: curl, server: nginx, sent: 10, received: 500 });
  const groups = new Map(totals(['PROCESS']).map((total) => [total.process, total]));
  const [mine, theirs] = [groups.get(curl), groups.get(nginx)];
  assert.equal(mine?.flows, 2);
  assert.equal(mine.sent.payloadBytes, 110);
  assert.equal(mine.received.payloadBytes, 5500);
  assert.equal(theirs?.sent.payloadBytes, 5500);
  assert.equal(theirs.received.payloadBytes, 110);
  assert.equal(mine.payloadBytes, 5610);
  assert.equal(theirs.payloadBytes, 5610);
});

test('both ends in one group are one flow there', () => {
  const { state, curl, totals } = setUp();
  const other = state.addProcess({ name: 'server', uid: curl.uid });
  state.addFlow({ client: curl, server: other, sent: 100, received: 900 });
  const [ada, ...rest] = totals(['USER']);
  assert.deepEqual(rest, []);
  assert.equal(ada?.user?.name, 'ada');
  assert.equal(ada.flows, 1);
  assert.equal(ada.payloadBytes, 1000);
  assert.equal(ada.octets, 1080);
  assert.equal(ada.sent.payloadBytes, 1000);
});

test('workers that shared a socket have each what they moved; what the socket counts is divided', () => {
  const { state, nginx, curl, totals } = setUp();
  const second = state.addProcess({ name: 'nginx', uid: 33 });
  const flow = state.addFlow({ client: curl, server: nginx, sent: 0, received: 1000 });
  const a = new ProcessShare(nginx);
  a.sentPayloadBytes = 250;
  const b = new ProcessShare(second);
  b.sentPayloadBytes = 750;
  flow.server.shares = [a, b];
  flow.server.sent.octets = 1100;
  flow.client.sent.octets = 100;
  const groups = new Map(totals(['PROCESS']).map((total) => [total.process, total]));
  assert.equal(groups.get(nginx)?.sent.payloadBytes, 250);
  assert.equal(groups.get(second)?.sent.payloadBytes, 750);
  assert.equal(groups.get(nginx)?.sent.octets, 275);
  assert.equal(groups.get(second)?.octets, 900);
  const [byName] = totals(['PROCESS_NAME'], { where: { process: { eq: 'nginx' } } }).filter(
    ({ processName }) => processName === 'nginx',
  );
  assert.equal(byName?.flows, 1);
  assert.equal(byName.octets, 1200);
  assert.equal(byName.payloadBytes, 1000);
});

test('dimensions of the flow alone see it from its local end', () => {
  const { state, nginx, curl, totals } = setUp();
  state.addFlow({ client: curl, serverAddress: '93.184.216.34', serverPort: 443, sent: 1, received: 20 });
  state.addFlow({ client: null, server: nginx, clientAddress: '10.9.8.7', serverPort: 80, sent: 3, received: 40 });
  const [first, second] = totals(['PORT', 'PROTOCOL'], { orderBy: 'PAYLOAD_BYTES' });
  assert.deepEqual(first?.keys, [
    { dimension: 'PORT', value: '80' },
    { dimension: 'PROTOCOL', value: 'TCP' },
  ]);
  assert.equal(first.port, 80);
  assert.equal(first.sent.payloadBytes, 40);
  assert.equal(first.received.payloadBytes, 3);
  assert.equal(second?.sent.payloadBytes, 1);
  assert.deepEqual(
    totals(['REMOTE_PREFIX'])
      .map(({ remotePrefix }) => remotePrefix)
      .sort(),
    ['10.9.8.0/24', '93.184.216.0/24'],
  );
  assert.deepEqual(
    totals(['DIRECTION'])
      .map(({ direction }) => direction)
      .sort(),
    ['INBOUND', 'OUTBOUND'],
  );
});

test('what is unknown is left out of sums and null when nothing is known', () => {
  const { state, curl, totals } = setUp();
  const flow = state.addFlow({ client: curl });
  for (const { sent } of [flow.client, flow.server]) sent.octets = sent.packets = null;
  const [total] = totals(['HOST']);
  assert.equal(total?.octets, null);
  assert.equal(total.packets, null);
  assert.equal(total.payloadBytes, 1100);
  assert.equal(total.host, 'testhost');
});

test('the largest come first, as many as asked for', () => {
  const { state, totals } = setUp();
  for (let i = 1; i <= 30; i++) state.addFlow({ client: state.addProcess({ name: `p${i}` }), sent: i, received: 0 });
  const names = totals(['PROCESS_NAME'], { orderBy: 'SENT_PAYLOAD_BYTES', first: 3 }).map(
    ({ processName }) => processName,
  );
  assert.deepEqual(names, ['p30', 'p29', 'p28']);
  assert.equal(totals(['PROCESS_NAME']).length, 20);
  assert.throws(() => totals([]), { code: 'INVALID_ARGUMENT' });
  assert.throws(() => totals(['PORT', 'PORT']), { code: 'INVALID_ARGUMENT' });
});
