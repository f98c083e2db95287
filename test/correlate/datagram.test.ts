import assert from 'node:assert/strict';
import test from 'node:test';
import { AGENT_START_MS, EPOCH_MS, line, notes, sentBy, shares, Stage, type Story } from './dsl.js';

const UDP = 17;
const ICMP = 1;

const people = (story: Story): Story =>
  story.seen(100, 'dig', { uid: 1000 }).seen(200, 'named').seen(201, 'worker').seen(300, 'ping');

test('a connected UDP socket has one flow, from its traffic', () => {
  const words = { protocol: UDP, from: '10.0.0.1:5000', to: '192.0.2.53:53' };
  const stage = new Stage().batch((story) => people(story).opened(1, { ...words, creator: 100 }));
  assert.deepEqual(stage.flows, [], 'no message, no flow');
  stage.batch((story) => story.moved(1, 100, { sent: 30, received: 100 }));
  assert.equal(line(stage.flow), 'UDP 10.0.0.1:5000 dig →30 ←100 192.0.2.53:53 ? OPEN OUTBOUND');
  assert.deepEqual(sentBy(stage.flow.client), {
    octets: 58,
    packets: 1,
    payloadBytes: 30,
    messages: 1,
    retransmittedPackets: null,
    octetsDerived: false,
    tcpFlags: null,
  });
  assert.equal(stage.flow.server.sent.octets, 128);
  assert.equal(stage.flow.client.creator?.name, 'dig');
  stage.batch((story) => story.ended(1, words));
  assert.equal(stage.flow.endReason, 'END_OF_FLOW');
  assert.equal(notes(stage.flow), '');
});

test('an unconnected socket has a flow for each peer, with every process’s share', () => {
  const stage = new Stage().batch((story) =>
    people(story)
      .opened(1, { protocol: UDP, from: ':53', listener: true })
      .moved(1, 200, {
        peer: '198.51.100.1:4000',
        local: '10.0.0.1',
        received: 20,
        sent: 50,
        firstReceived: true,
        last: 10_030,
      })
      .moved(1, 201, { peer: '198.51.100.1:4000', local: '10.0.0.1', received: 21, firstReceived: true, last: 10_035 })
      .moved(1, 200, { peer: '198.51.100.2:4000', local: '10.0.0.1', received: 7, firstReceived: true })
      .moved(1, 200, { peer: '198.51.100.1:4001', local: '10.0.0.1', sent: 9 }),
  );
  assert.deepEqual(stage.flows.map(line), [
    'UDP 198.51.100.1:4000 ? →41 ←50 10.0.0.1:53 worker OPEN INBOUND',
    'UDP 198.51.100.2:4000 ? →7 ←0 10.0.0.1:53 named OPEN INBOUND',
    'UDP 10.0.0.1:53 named →9 ←0 198.51.100.1:4001 ? OPEN OUTBOUND',
  ]);
  assert.equal(shares(stage.flows[0]?.server ?? stage.flow.server), 'named 50/20, worker 0/21');
  assert.equal(new Set(stage.flows.map((flow) => flow.id)).size, 3);
});

test('the row of whoever came first tells who is the client, whatever the order of the rows', () => {
  const stage = new Stage().batch((story) =>
    people(story)
      .opened(1, { protocol: UDP, from: '10.0.0.1:53' })
      .moved(1, 201, { peer: '198.51.100.1:4000', sent: 50, first: 10_030 })
      .moved(1, 200, { peer: '198.51.100.1:4000', received: 20, firstReceived: true, first: 10_025 }),
  );
  assert.equal(stage.flow.server.port, 53);
  assert.equal(stage.flow.startMicros, (EPOCH_MS + 10_025) * 1000);
});

test('the local address of a wildcard socket may be learnt later', () => {
  const stage = new Stage().batch((story) =>
    story.opened(1, { protocol: UDP, from: ':5000' }).moved(1, undefined, { peer: '192.0.2.1:9', sent: 1 }),
  );
  assert.equal(stage.flow.client.address, '0.0.0.0');
  assert.match(notes(stage.flow), /LOCAL_ADDRESS_UNKNOWN/);
  stage.batch((story) => story.moved(1, undefined, { peer: '192.0.2.1:9', sent: 2, local: '10.0.0.1' }));
  assert.equal(stage.flow.client.address, '10.0.0.1');
  assert.equal(notes(stage.flow), 'OWNER_UNKNOWN');
});

test('the local address of a wildcard socket may be learnt without any news of its bytes', () => {
  const sent = { peer: '192.0.2.1:9', sent: 1 };
  const stage = new Stage().batch((story) =>
    people(story).opened(1, { protocol: UDP, from: ':5000' }).moved(1, 100, sent),
  );
  stage.facts();
  stage.batch((story) => story.moved(1, 100, { ...sent, local: '10.0.0.1' }));
  assert.equal(stage.flow.client.address, '10.0.0.1');
  assert.equal(notes(stage.flow), '');
  assert.deepEqual(stage.facts(), ['UPDATED dig→?']);
  stage.batch((story) => story.moved(1, 100, sent));
  assert.equal(stage.flow.client.address, '10.0.0.1');
  assert.deepEqual(stage.facts(), []);
});

test('what nobody with a name moved is counted and has no share', () => {
  const stage = new Stage().batch((story) =>
    story.opened(1, { protocol: UDP, from: '10.0.0.1:5000' }).moved(1, undefined, { peer: '192.0.2.1:9', sent: 10 }),
  );
  assert.equal(stage.flow.client.sent.payloadBytes, 10);
  assert.deepEqual(stage.flow.client.shares, []);
});

const ask = (story: Story): Story =>
  people(story)
    .opened(1, { protocol: UDP, from: ':5000', creator: 100 })
    .moved(1, 100, { peer: '127.0.0.1:53', local: '127.0.0.1', sent: 30, received: 100 });
const answer = (story: Story): Story =>
  story
    .opened(2, { protocol: UDP, from: ':53', listener: true })
    .moved(2, 200, { peer: '127.0.0.1:5000', local: '127.0.0.1', sent: 100, received: 30, firstReceived: true });
const TALK = 'UDP 127.0.0.1:5000 dig →30 ←100 127.0.0.1:53 named OPEN LOCAL';

test('two local UDP sockets of one conversation are one flow, in one batch or two, in either order', () => {
  assert.equal(line(new Stage().batch((story) => answer(ask(story))).flow), TALK);
  assert.equal(line(new Stage().batch((story) => ask(answer(people(story)))).flow), TALK);
  assert.equal(line(new Stage().batch(ask).batch(answer).flow), TALK);
  assert.equal(line(new Stage().batch((story) => answer(people(story))).batch(ask).flow), TALK);
});

test('each end of a joined flow tells what it sent', () => {
  const stage = new Stage().batch((story) => answer(ask(story)));
  stage.batch((story) => story.moved(1, 100, { peer: '127.0.0.1:53', sent: 60, messagesSent: 2, received: 100 }));
  assert.equal(stage.flow.client.sent.payloadBytes, 60);
  stage.batch((story) =>
    story.moved(2, 200, { peer: '127.0.0.1:5000', sent: 100, received: 55, messagesReceived: 2, firstReceived: true }),
  );
  assert.equal(stage.flow.client.sent.payloadBytes, 60, 'what was dropped on the way was sent');
  assert.equal(shares(stage.flow.server), 'named 100/55');
});

test('sockets in two namespaces are joined by their addresses', () => {
  const stage = new Stage().batch((story) =>
    people(story)
      .opened(1, { protocol: UDP, from: ':5000' })
      .moved(1, 100, { peer: '172.17.0.2:53', local: '172.17.0.1', sent: 5 })
      .opened(2, { protocol: UDP, from: ':53', listener: true, netns: 7 })
      .moved(2, 200, { peer: '172.17.0.1:5000', local: '172.17.0.2', received: 5, firstReceived: true }),
  );
  assert.equal(line(stage.flow), 'UDP 172.17.0.1:5000 dig →5 ←0 172.17.0.2:53 named OPEN LOCAL');
});

test('a socket that is gone before its receiver is read is waited for', () => {
  const stage = new Stage().batch((story) => ask(story).ended(1, { protocol: UDP, from: ':5000' }));
  assert.equal(stage.flow.state, 'CLOSING');
  stage.batch(answer, 1000);
  assert.equal(stage.flow.server.process?.name, 'named');
  stage.wait(600);
  assert.equal(line(stage.flow), TALK.replace('OPEN', 'END_OF_FLOW'));
  const endMs = (stage.flow.endMicros ?? 0) / 1000 - EPOCH_MS;
  assert.equal(endMs, AGENT_START_MS + 1040, 'the end is the last that happened');
  // The server's counters go on: a later message from the same port is another flow, with its own bytes.
  stage.batch((story) =>
    story.moved(2, 200, { peer: '127.0.0.1:5000', sent: 100, received: 36, messagesReceived: 2, firstReceived: true }),
  );
  assert.equal(stage.flows.length, 2);
  assert.equal(stage.flows[1]?.client.sent.payloadBytes, 6);
});

test('a socket that is gone before its receiver in another namespace is read is waited for', () => {
  const words = { protocol: UDP, from: ':5000', netns: 7 };
  const stage = new Stage().batch((story) =>
    people(story)
      .address('172.17.0.2', { netns: 8 })
      .opened(1, words)
      .moved(1, 100, { peer: '172.17.0.2:53', local: '172.17.0.1', sent: 5 })
      .ended(1, words),
  );
  assert.equal(stage.flow.state, 'CLOSING');
  stage.batch((story) =>
    story
      .opened(2, { protocol: UDP, from: ':53', listener: true, netns: 8 })
      .moved(2, 200, { peer: '172.17.0.1:5000', local: '172.17.0.2', received: 5, firstReceived: true }),
  );
  stage.wait(2000);
  assert.equal(line(stage.flow), 'UDP 172.17.0.1:5000 dig →5 ←0 172.17.0.2:53 named END_OF_FLOW LOCAL');
});

test('when both local sockets have ended nobody is waited for', () => {
  const stage = new Stage().batch((story) =>
    answer(ask(story))
      .ended(1, { protocol: UDP, from: ':5000' })
      .ended(2, { protocol: UDP, from: ':53', listener: true }),
  );
  assert.equal(stage.flow.endReason, 'END_OF_FLOW');
  assert.deepEqual(
    { ...stage.correlator.sizes(), flows: 0, processes: 0, endedCookies: 0, processTracks: 0 },
    {
      flows: 0,
      processes: 0,
      sockets: 0,
      tuples: 0,
      targets: 0,
      listeners: 0,
      idle: 0,
      lingering: 0,
      aside: 0,
      exchanges: 0,
      exchangeFlows: 0,
      exchangesWaiting: 0,
      exchangeSockets: 0,
      exchangeAside: 0,
      detections: 0,
      unresolved: 0,
      endedCookies: 0,
      processTracks: 0,
      openWindows: 0,
      closedWindows: 0,
      epochs: 0,
      windowsAside: 0,
    },
  );
});

test('silence ends a flow; what comes later is another one, counted from there', () => {
  const words = { peer: '192.0.2.1:9', local: '10.0.0.1' };
  const stage = new Stage().batch((story) =>
    people(story)
      .opened(1, { protocol: UDP, from: ':5000' })
      .moved(1, 100, { ...words, sent: 10 }),
  );
  stage.wait(29_000);
  assert.equal(stage.flow.state, 'OPEN');
  stage.wait(2000);
  assert.equal(stage.flow.endReason, 'IDLE');
  assert.equal(stage.flow.endMicros, stage.flow.lastMicros);
  stage.batch((story) => story.moved(1, 100, { ...words, sent: 10, first: 10_040, last: 10_040 }));
  assert.equal(stage.flows.length, 1, 'the same counters are no news');
  stage.batch((story) => story.moved(1, 100, { ...words, sent: 13, messagesSent: 2, first: 10_040 }));
  assert.deepEqual(
    stage.flows.map((flow) => flow.client.sent.payloadBytes),
    [10, 3],
  );
  assert.deepEqual(
    stage.flows.map((flow) => flow.client.sent.messages),
    [1, 1],
  );
  assert.notEqual(stage.flows[0]?.id, stage.flows[1]?.id);
  assert.equal(stage.flows[1]?.startMicros, (EPOCH_MS + stage.nowMs) * 1000);
});

test('a flow that is used does not become idle', () => {
  const stage = new Stage().batch((story) =>
    people(story).opened(1, { protocol: UDP, from: ':5000' }).moved(1, 100, { peer: '192.0.2.1:9', sent: 1 }),
  );
  for (let sent = 2; sent < 10; sent++)
    stage.batch((story) => story.moved(1, 100, { peer: '192.0.2.1:9', sent }), 20_000);
  assert.equal(stage.flow.state, 'OPEN');
});

test('counters that end and begin again add up, and an ended peer leaves nothing behind', () => {
  const words = { peer: '192.0.2.1:9', local: '10.0.0.1' };
  const stage = new Stage().batch((story) =>
    people(story)
      .opened(1, { protocol: UDP, from: ':5000' })
      .moved(1, 100, { ...words, sent: 10, final: true }),
  );
  stage.batch((story) => story.moved(1, 100, { ...words, sent: 4 }));
  assert.equal(stage.flow.client.sent.payloadBytes, 14);
  stage.batch((story) => story.moved(1, 100, { ...words, sent: 4, final: true })).wait(31_000);
  assert.equal(stage.flow.endReason, 'IDLE');
  stage.batch((story) => story.moved(1, 100, { ...words, sent: 5 }));
  assert.deepEqual(
    stage.flows.map((flow) => flow.client.sent.payloadBytes),
    [14, 5],
  );
  assert.equal(new Set(stage.flows.map((flow) => flow.id)).size, 2);
});

test('counters whose end was lost are taken as begun again', () => {
  const stage = new Stage().batch((story) =>
    people(story).opened(1, { protocol: UDP, from: '10.0.0.1:5000' }).moved(1, 100, { peer: '192.0.2.1:9', sent: 10 }),
  );
  stage.batch((story) => story.moved(1, 100, { peer: '192.0.2.1:9', sent: 4 }));
  assert.equal(stage.flow.client.sent.payloadBytes, 14);
});

test('traffic that comes before its socket waits for it', () => {
  const stage = new Stage().batch((story) => people(story).moved(1, 100, { peer: '192.0.2.1:9', sent: 10 }));
  assert.equal(stage.correlator.sizes().aside, 1);
  stage.batch((story) =>
    story.opened(1, { protocol: UDP, from: '10.0.0.1:5000' }).moved(1, 100, { peer: '192.0.2.1:9', sent: 12 }),
  );
  assert.equal(stage.flow.client.sent.payloadBytes, 12);
  assert.equal(stage.correlator.sizes().aside, 0);
  stage.batch((story) => story.moved(2, 100, { peer: '192.0.2.1:9', sent: 1 })).wait(31_000);
  assert.equal(stage.correlator.sizes().aside, 0);
  assert.equal(stage.correlator.status().losses.find((loss) => loss.place === 'trafficAside')?.count, 1);
});

test('without the messages tier a connected socket is shown with unknown counters', () => {
  const words = { protocol: UDP, from: '10.0.0.1:5000', to: '192.0.2.53:53', counted: false, last: null };
  const stage = new Stage().batch((story) => people(story).seenSocket(1, { ...words, holder: 100 }));
  assert.equal(line(stage.flow), 'UDP 10.0.0.1:5000 dig →? ←? 192.0.2.53:53 ? OPEN OUTBOUND');
  assert.equal(notes(stage.flow), 'MESSAGES_TIER_OFF OCTETS_UNKNOWN');
  stage.wait(100_000).batch((story) => story.update(1, { ...words, holder: 100 }));
  assert.equal(stage.flow.state, 'OPEN', 'it is not known to be silent');
  stage.batch((story) => story.ended(1, words));
  assert.equal(stage.flow.endReason, 'END_OF_FLOW');
});

test('a conversation that may be older than the agent says so; a later one on the same socket does not', () => {
  const stage = new Stage().batch((story) =>
    people(story)
      .listens(1, ':53', { protocol: UDP, seeded: true })
      .moved(1, 200, { peer: '198.51.100.1:4000', local: '10.0.0.1', sent: 9 }),
  );
  assert.equal(line(stage.flow), 'UDP 198.51.100.1:4000 ? →0 ←9 10.0.0.1:53 named OPEN INBOUND');
  assert.equal(notes(stage.flow), 'COUNTERS_SINCE_AGENT_START START_TIME_UNKNOWN');
  assert.ok(stage.flow.startedBefore);
  stage.batch(
    (story) => story.moved(1, 200, { peer: '198.51.100.2:4000', local: '10.0.0.1', received: 9, firstReceived: true }),
    40_000,
  );
  assert.equal(notes(stage.flows[1] ?? stage.flow), '');
});

test('echo requests are a flow; the kernel’s own answer is no socket', () => {
  const stage = new Stage().batch((story) =>
    people(story)
      .opened(1, { protocol: ICMP, from: '127.0.0.1' })
      .moved(1, 300, { peer: '127.0.0.1', sent: 64, received: 64 })
      .opened(2, { protocol: ICMP, from: '127.0.0.1' })
      .moved(2, 300, { peer: '127.0.0.1', sent: 65, received: 65 }),
  );
  assert.deepEqual(stage.flows.map(line), [
    'ICMP 127.0.0.1 ping →64 ←64 127.0.0.1 ? OPEN LOCAL',
    'ICMP 127.0.0.1 ping →65 ←65 127.0.0.1 ? OPEN LOCAL',
  ]);
  stage.batch((story) => story.ended(1, { protocol: ICMP, from: '127.0.0.1' }));
  assert.equal(stage.flows[0]?.endReason, 'END_OF_FLOW');
});

test('packet sockets are named after their interface', () => {
  const stage = new Stage().batch((story) =>
    people(story)
      .address('10.0.0.1', { interface: 'eth7', index: 3 })
      .opened(1, { protocol: 0, more: { interfaceIndex: 3 } })
      .moved(1, 300, { sent: 30_000 }),
  );
  assert.equal(line(stage.flow), 'PACKET eth7 ping →30000 ←0 any ? OPEN OUTBOUND');
  assert.equal(stage.flow.ipVersion, null);
  assert.equal(stage.flow.communityId, null);
});

test('raw sockets of other protocols have a flow for each peer, and two local ones are joined', () => {
  const stage = new Stage().batch((story) =>
    people(story)
      .opened(1, { protocol: 253, from: '127.0.0.1' })
      .moved(1, 100, { peer: '127.0.0.1', sent: 10 })
      .opened(2, { protocol: 253, from: '127.0.0.1' })
      .moved(2, 200, { peer: '127.0.0.1', received: 30, firstReceived: true }),
  );
  assert.equal(line(stage.flow), 'RAW 127.0.0.1 dig →10 ←0 127.0.0.1 named OPEN LOCAL');
});

const sink = (story: Story): Story => people(story).opened(9, { protocol: UDP, from: '127.0.0.1:514', listener: true });
const sender = (story: Story, cookie: number, pid: number, sent: number): Story =>
  story
    .opened(cookie, { protocol: UDP, from: `127.0.0.1:${5000 + cookie}` })
    .moved(cookie, pid, { peer: '127.0.0.1:514', sent });

test('unknown peer: the only sender on this host is the one', () => {
  const stage = new Stage().batch((story) =>
    sender(sink(story), 1, 100, 10).moved(9, 200, { received: 10, peerUnknown: true }),
  );
  assert.equal(line(stage.flow), 'UDP 127.0.0.1:5001 dig →10 ←0 127.0.0.1:514 named OPEN LOCAL');
  assert.equal(shares(stage.flow.server), 'named 0/10');
  assert.equal(notes(stage.flow), '');
});

test('unknown peer: several senders whose bytes add up each have theirs', () => {
  const stage = new Stage().batch((story) =>
    sender(sender(sink(story), 1, 100, 10), 2, 201, 32).moved(9, 200, {
      received: 42,
      messagesReceived: 2,
      peerUnknown: true,
    }),
  );
  assert.deepEqual(stage.flows.map(line), [
    'UDP 127.0.0.1:5001 dig →10 ←0 127.0.0.1:514 named OPEN LOCAL',
    'UDP 127.0.0.1:5002 worker →32 ←0 127.0.0.1:514 named OPEN LOCAL',
  ]);
  assert.deepEqual(
    stage.flows.map((flow) => shares(flow.server)),
    ['named 0/10', 'named 0/32'],
  );
  // And goes on with what each sends next.
  stage.batch((story) =>
    story
      .moved(1, 100, { peer: '127.0.0.1:514', sent: 15, messagesSent: 2 })
      .moved(2, 201, { peer: '127.0.0.1:514', sent: 40, messagesSent: 2 })
      .moved(9, 200, { received: 55, messagesReceived: 4, peerUnknown: true }),
  );
  assert.deepEqual(
    stage.flows.map((flow) => shares(flow.server)),
    ['named 0/15', 'named 0/40'],
  );
});

test('unknown peer: the sender may be read with a later poll', () => {
  const stage = new Stage().batch((story) => sink(story).moved(9, 200, { received: 10, peerUnknown: true }));
  assert.deepEqual(stage.flows, []);
  stage.batch((story) => sender(story, 1, 100, 10), 900);
  assert.equal(line(stage.flow), 'UDP 127.0.0.1:5001 dig →10 ←0 127.0.0.1:514 named OPEN LOCAL');
});

const remoteSink = (story: Story): Story =>
  story
    .address('172.17.0.2', { netns: 8 })
    .opened(9, { protocol: UDP, from: ':514', listener: true, netns: 8 })
    .moved(9, 200, { received: 10, peerUnknown: true });
const remoteSender = (story: Story, local?: string): Story =>
  people(story)
    .opened(1, { protocol: UDP, from: ':5001', netns: 7 })
    .moved(1, 100, { peer: '172.17.0.2:514', sent: 10, ...(local === undefined ? {} : { local }) });

test('unknown peer: the receiver may be in a namespace that is met later', () => {
  const wanted = 'UDP 172.17.0.1:5001 dig →10 ←0 172.17.0.2:514 named OPEN LOCAL';
  const both = new Stage().batch((story) => remoteSink(remoteSender(story, '172.17.0.1')));
  assert.equal(line(both.flow), wanted);
  const later = new Stage().batch((story) => remoteSender(story, '172.17.0.1')).batch(remoteSink, 900);
  assert.equal(line(later.flow), wanted);
  assert.equal(notes(later.flow), '');
  assert.equal(later.correlator.sizes()['targets'], 0);
});

test('unknown peer: who sent long before the receiver’s namespace was met is found when it sends again', () => {
  const stage = new Stage().batch((story) => remoteSender(story, '172.17.0.1'));
  assert.equal(stage.correlator.sizes()['targets'], 1);
  stage.wait(1100).wait(1100);
  assert.equal(stage.correlator.sizes()['targets'], 0);
  stage.batch(remoteSink).wait(1100);
  assert.deepEqual(stage.flows.map(line), [
    'UDP 172.17.0.1:5001 dig →10 ←0 172.17.0.2:514 ? OPEN OUTBOUND',
    'UDP 0.0.0.0 ? →10 ←0 0.0.0.0:514 named OPEN INBOUND',
  ]);
  stage.batch((story) =>
    story
      .moved(1, 100, { peer: '172.17.0.2:514', sent: 15, messagesSent: 2 })
      .moved(9, 200, { received: 15, messagesReceived: 2, peerUnknown: true }),
  );
  assert.equal(line(stage.flows[0] ?? stage.flow), 'UDP 172.17.0.1:5001 dig →15 ←0 172.17.0.2:514 named OPEN LOCAL');
  assert.equal(shares(stage.flows[0]?.server ?? stage.flow.server), 'named 0/5');
});

test('unknown peer: of several namespaces with the address the one that has the port is meant', () => {
  const others = (story: Story): Story =>
    remoteSender(story.address('172.17.0.2', { netns: 6 }), '172.17.0.1').opened(8, {
      protocol: UDP,
      from: ':515',
      listener: true,
      netns: 6,
    });
  const stage = new Stage().batch((story) => remoteSink(others(story)));
  assert.equal(line(stage.flow), 'UDP 172.17.0.1:5001 dig →10 ←0 172.17.0.2:514 named OPEN LOCAL');

  const second = { protocol: UDP, from: ':514', listener: true, netns: 6 };
  const doubtful = new Stage().batch((story) => remoteSink(others(story)).opened(7, second)).wait(1100);
  assert.deepEqual(doubtful.flows.map(line), [
    'UDP 172.17.0.1:5001 dig →10 ←0 172.17.0.2:514 ? OPEN OUTBOUND',
    'UDP 0.0.0.0 ? →10 ←0 0.0.0.0:514 named OPEN INBOUND',
  ]);

  const own = new Stage()
    .batch((story) => remoteSink(remoteSender(story.address('172.17.0.2', { netns: 7 }), '172.17.0.2')))
    .wait(1100);
  assert.equal(own.flows.length, 2, 'what a namespace sends to its own address stays there');
});

test('unknown peer: a sender whose own address is not known is found, and its address may come later', () => {
  const stage = new Stage().batch((story) => remoteSink(remoteSender(story)));
  assert.equal(line(stage.flow), 'UDP 0.0.0.0:5001 dig →10 ←0 172.17.0.2:514 named OPEN LOCAL');
  assert.equal(notes(stage.flow), 'LOCAL_ADDRESS_UNKNOWN');
  stage.batch((story) =>
    story
      .moved(1, 100, { peer: '172.17.0.2:514', sent: 15, messagesSent: 2, local: '172.17.0.1' })
      .moved(9, 200, { received: 15, messagesReceived: 2, peerUnknown: true }),
  );
  assert.equal(line(stage.flow), 'UDP 172.17.0.1:5001 dig →15 ←0 172.17.0.2:514 named OPEN LOCAL');
  assert.equal(shares(stage.flow.server), 'named 0/15');
  assert.equal(notes(stage.flow), '');
  // The row of the end has the address when no earlier one had it.
  const last = new Stage().batch((story) => remoteSink(remoteSender(story)));
  last.batch((story) =>
    story
      .moved(1, 100, { peer: '172.17.0.2:514', sent: 10, local: '172.17.0.1' })
      .ended(1, { protocol: UDP, from: ':5001', netns: 7 })
      .ended(9, { protocol: UDP, from: ':514', netns: 8 }),
  );
  assert.equal(line(last.flow), 'UDP 172.17.0.1:5001 dig →10 ←0 172.17.0.2:514 named END_OF_FLOW LOCAL');
});

test('unknown peer: when bytes do not add up they are given once, and that is noted', () => {
  const stage = new Stage().batch((story) =>
    sender(sender(sink(story), 1, 100, 10), 2, 201, 32).moved(9, 200, {
      received: 50,
      messagesReceived: 3,
      peerUnknown: true,
    }),
  );
  stage.wait(1100);
  assert.deepEqual(stage.flows.map(line), [
    'UDP 127.0.0.1:5001 dig →10 ←0 127.0.0.1:514 named OPEN LOCAL',
    'UDP 127.0.0.1:5002 worker →32 ←0 127.0.0.1:514 named OPEN LOCAL',
    'UDP 0.0.0.0 ? →8 ←0 127.0.0.1:514 named OPEN INBOUND',
  ]);
  for (const flow of stage.flows) assert.equal(notes(flow), 'PEER_UNKNOWN');
});

test('unknown peer: nobody is known, so it is nobody', () => {
  const stage = new Stage().batch((story) => sink(story).moved(9, 200, { received: 10, peerUnknown: true }));
  stage.wait(1100);
  assert.equal(line(stage.flow), 'UDP 0.0.0.0 ? →10 ←0 127.0.0.1:514 named OPEN INBOUND');
  assert.equal(stage.flow.client.port, null);
  stage.batch((story) => story.moved(9, 200, { received: 12, messagesReceived: 2, peerUnknown: true })).wait(1100);
  assert.equal(stage.flow.client.sent.payloadBytes, 12);
  stage.batch((story) => story.ended(9, { protocol: UDP, from: '127.0.0.1:514' }));
  assert.equal(stage.flow.state, 'ENDED');
});

test('unknown peer: the only peer the socket talks with is the one', () => {
  const stage = new Stage().batch((story) =>
    sink(story).moved(9, 200, { peer: '198.51.100.1:7', sent: 3 }).moved(9, 200, { received: 10, peerUnknown: true }),
  );
  assert.equal(stage.flow.server.sent.payloadBytes, 10);
  assert.equal(shares(stage.flow.client), 'named 3/10');
  stage.batch((story) => story.moved(9, 200, { peer: '198.51.100.1:7', sent: 5, received: 2, messagesSent: 2 }));
  assert.equal(shares(stage.flow.client), 'named 5/12', 'what is known of the peer comes on top');
});

test('unknown peer: the end of the socket decides at once', () => {
  const stage = new Stage().batch((story) =>
    sink(story).moved(9, 200, { received: 10, peerUnknown: true }).ended(9, { protocol: UDP, from: '127.0.0.1:514' }),
  );
  assert.equal(stage.flow.endReason, 'END_OF_FLOW');
  assert.equal(stage.flow.client.sent.payloadBytes, 10);
});

test('a stop ends idle and waiting flows, too', () => {
  const stage = new Stage().batch((story) =>
    ask(sink(story)).ended(1, { protocol: UDP, from: ':5000' }).moved(9, 200, { received: 10, peerUnknown: true }),
  );
  stage.correlator.close();
  assert.deepEqual(
    stage.flows.map((flow) => flow.endReason),
    ['END_OF_FLOW', 'FORCED'],
  );
});
