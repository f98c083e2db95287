import assert from 'node:assert/strict';
import test from 'node:test';
import { SOCKET_FLAG } from '../../src/capture/layout.js';
import { noteCodes, type Application, type Flow } from '../../src/correlate/index.js';
import { CAPTURE, line, Stage, type Story } from './dsl.js';

const HERE = { from: '10.0.0.1:5000', to: '192.0.2.1:443' };
const UDP = { protocol: 17, from: '0.0.0.0:5000' };
const SYN = 2;
const PSH_ACK = 0x18;
const FIN_ACK = 0x11;

/** The notes, without that nobody was seen to own the ends. */
function lacks(flow: Flow): string[] {
  return noteCodes(flow.noteBits).filter((note) => note !== 'OWNER_UNKNOWN');
}

function withFlags(sent: number, received: number, part = false) {
  const base = SOCKET_FLAG.messagesCounted | SOCKET_FLAG.hasTcp | SOCKET_FLAG.tcpFlags;
  return {
    more: { flags: base | (part ? SOCKET_FLAG.tcpFlagsPart : 0), sentTcpFlags: sent, receivedTcpFlags: received },
  };
}

test('TCP flags of both ends come with the socket, and the note goes', () => {
  const stage = new Stage().batch((story) => story.opened(1, HERE));
  assert.equal(stage.flow.client.sent.tcpFlags, null);
  assert.ok(lacks(stage.flow).includes('TCP_FLAGS_TIER_OFF'));
  stage.batch((story) => story.update(1, { ...HERE, ...withFlags(SYN | PSH_ACK, SYN | PSH_ACK | FIN_ACK) }));
  assert.deepEqual(stage.flow.client.sent.tcpFlags, ['SYN', 'PSH', 'ACK']);
  assert.deepEqual(stage.flow.server.sent.tcpFlags, ['FIN', 'SYN', 'PSH', 'ACK']);
  assert.deepEqual(lacks(stage.flow), ['APPLICATION_TIER_OFF']);
});

test('flags of a part of the packets are marked, unless the other end has seen all of them', () => {
  const there = { from: '127.0.0.1:5000', to: '127.0.0.1:80' };
  const back = { from: '127.0.0.1:80', to: '127.0.0.1:5000', passive: true };
  const stage = new Stage().batch((story) =>
    story.opened(2, back).update(2, { ...back, ...withFlags(0, PSH_ACK, true) }),
  );
  assert.ok(lacks(stage.flow).includes('TCP_FLAGS_PARTIAL'));
  assert.deepEqual(stage.flow.server.sent.tcpFlags, [], 'it was seen to send nothing');
  stage.batch((story) => story.opened(1, there).update(1, { ...there, ...withFlags(SYN | PSH_ACK, SYN | FIN_ACK) }));
  stage.batch((story) => story.update(2, { ...back, ...withFlags(FIN_ACK, PSH_ACK, true) }));
  assert.ok(!lacks(stage.flow).includes('TCP_FLAGS_PARTIAL'));
  assert.deepEqual(stage.flow.client.sent.tcpFlags, ['SYN', 'PSH', 'ACK']);
  assert.deepEqual(stage.flow.server.sent.tcpFlags, ['FIN', 'SYN', 'ACK']);
});

test('a connection has the application that its packets tell of, and equal ones are one object', () => {
  const stage = new Stage().batch((story) =>
    story.tier('packets', true).opened(1, HERE).opened(2, { from: '10.0.0.1:5001', to: '192.0.2.1:443' }),
  );
  assert.deepEqual(
    stage.flows.map((flow) => lacks(flow)),
    [
      ['TCP_FLAGS_TIER_OFF', 'APPLICATION_UNDETECTED'],
      ['TCP_FLAGS_TIER_OFF', 'APPLICATION_UNDETECTED'],
    ],
  );
  const google = {
    protocol: 'TLS',
    protocolId: 91,
    applicationId: 126,
    category: 'Web',
    serverName: 'www.google.com',
    alpn: 'h2,http/1.1',
    tlsVersion: 'TLSv1.3',
  };
  stage.facts();
  stage.batch((story) => story.detected(1, 'Google', google).detected(2, 'Google', google));
  assert.deepEqual(stage.facts(), ['UPDATED ?→?', 'UPDATED ?→?']);
  const [first, second] = stage.flows;
  assert.deepEqual(first?.application, {
    id: 126,
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
  });
  assert.equal(second?.application, first.application);
  assert.deepEqual(lacks(first), ['TCP_FLAGS_TIER_OFF']);
});

test('a later word replaces an earlier one, but no guess what the packets say; what is not known says nothing', () => {
  const stage = new Stage().batch((story) => story.tier('packets', true).opened(1, HERE));
  const found = (): Application | null => stage.flow.application;
  stage.batch((story) => story.detected(1, 'Unknown', { applicationId: 0 }));
  assert.equal(found(), null);
  stage.batch((story) => story.detected(1, 'HTTPS', { flags: 2, confidence: 1 }));
  assert.equal(found()?.confidence, 'PORT');
  stage.batch((story) => story.detected(1, 'SSH', { sshClient: 'SSH-2.0-x' }));
  stage.batch((story) => story.detected(1, 'SSH', { sshClient: 'SSH-2.0-x', sshServer: 'SSH-2.0-y\u001b[2J' }));
  assert.equal(found()?.sshServer, 'SSH-2.0-y\\x1b[2J', 'what a server says of itself is made printable');
  stage.batch((story) => story.detected(1, 'HTTPS', { flags: 2, confidence: 1 }));
  assert.equal(found()?.name, 'SSH');
  assert.equal(found()?.protocol, 'SSH', 'with nothing above it, it is the protocol');
});

test('detection of datagrams waits for the flow, each peer its own', () => {
  const stage = new Stage().batch((story) => story.tier('packets', true).detected(1, 'DNS', { peer: '192.0.2.53:53' }));
  stage.batch((story) =>
    story
      .opened(1, UDP)
      .detected(1, 'NTP', { peer: '192.0.2.123:123' })
      .detected(1, 'DNS', { peer: '192.0.2.53:53', dnsQuery: 'a.example', dnsReplyCode: 3 }),
  );
  assert.equal(stage.correlator.sizes()['detections'], 3);
  stage.batch((story) => story.moved(1, 7, { peer: '192.0.2.53:53', local: '10.0.0.1', sent: 30 }));
  assert.equal(stage.flow.application?.dnsQuery, 'a.example');
  assert.equal(stage.flow.application.dnsReplyCode, 3);
  stage.batch((story) => story.moved(1, 7, { peer: '192.0.2.123:123', local: '10.0.0.1', sent: 48 }));
  assert.deepEqual(
    stage.flows.map((flow) => flow.application?.name),
    ['DNS', 'NTP'],
  );
  assert.equal(stage.correlator.sizes()['detections'], 0);
});

test('detection whose flow never shows up is given up, and counted', () => {
  const stage = new Stage().batch((story) => story.detected(9, 'DNS', { peer: '192.0.2.53:53' }));
  stage.wait(40_000);
  assert.equal(stage.correlator.sizes()['detections'], 0);
  const { losses } = stage.correlator.status();
  assert.equal(losses.find(({ place }) => place === 'applicationAside')?.count, 1);
});

test('more detections than may wait push out the oldest', () => {
  const stage = new Stage().batch((story) => {
    for (let cookie = 1; cookie <= 16_400; cookie++) story.detected(cookie, 'DNS', { peer: '192.0.2.53:53' });
  });
  assert.equal(stage.correlator.sizes()['detections'], 16_384);
});

test('a connected socket that ended in the same batch has its application', () => {
  const stage = new Stage().batch((story) =>
    story.tier('packets', true).opened(1, HERE).ended(1, HERE).detected(1, 'Redis', { category: 'Database' }),
  );
  assert.equal(stage.flow.application?.name, 'Redis');
  assert.deepEqual(stage.facts(), ['STARTED ?→?', 'ENDED ?→?']);
  stage.batch((story) => story.detected(1, 'Redis', { category: 'Database', confidence: 3 }));
  assert.equal(stage.correlator.sizes()['detections'], 0, 'nobody waits for what comes after the end');
});

test('tiers say since when and why; flows say what they lack by it', () => {
  const stage = new Stage({
    capture: () => ({
      ...CAPTURE,
      tiers: [
        { name: 'lifecycle', state: 'ON', reason: null },
        { name: 'packets', state: 'ON', reason: null },
      ],
    }),
  });
  const micros = (ms: number) => (1_700_000_000_000 + ms) * 1000;
  stage.batch((story) =>
    story
      .tier('packets', true)
      .tier('messages', true)
      .tier('nonsense', true)
      .opened(1, HERE)
      .opened(2, { ...UDP }),
  );
  const onSince = stage.nowMs;
  stage.batch((story) => story.moved(2, 7, { peer: '192.0.2.53:53', local: '10.0.0.1', sent: 30 }));
  stage.batch((story) => story.opened(3, { from: '10.0.0.1:5001', to: '192.0.2.1:443' }).detected(3, 'TLS'));
  stage.batch(
    (story) => story.tier('packets', false, 'over the budget').tier('messages', false, 'over the budget'),
    1000,
  );
  assert.deepEqual(stage.correlator.status().tiers, [
    { name: 'lifecycle', state: 'ON', reason: null, sinceMicros: null },
    { name: 'packets', state: 'SHED', reason: 'over the budget', sinceMicros: micros(stage.nowMs) },
    { name: 'messages', state: 'SHED', reason: 'over the budget', sinceMicros: micros(stage.nowMs) },
  ]);
  stage.batch((story) =>
    story
      .tier('packets', false, 'over the budget')
      .opened(4, { from: '10.0.0.1:5002', to: '192.0.2.1:443', counted: false })
      .update(1, { ...HERE, sent: 10 }),
  );
  assert.deepEqual(
    stage.flows.map((flow) => lacks(flow)),
    [
      ['TCP_FLAGS_TIER_OFF', 'APPLICATION_TIER_SHED', 'MESSAGES_TIER_SHED'],
      ['APPLICATION_TIER_SHED'],
      ['TCP_FLAGS_TIER_OFF', 'MESSAGES_TIER_SHED'],
      ['TCP_FLAGS_TIER_OFF', 'APPLICATION_TIER_SHED', 'MESSAGES_TIER_SHED'],
    ],
  );
  assert.equal(stage.flows[0]?.client.sent.payloadBytes, 10, "the kernel's own count, as messages are not counted");
  stage.batch((story) => story.tier('packets', true).tier('messages', true));
  stage.batch((story) => story.opened(5, { from: '10.0.0.1:5003', to: '192.0.2.1:443' }));
  assert.deepEqual(stage.flows[4] && lacks(stage.flows[4]), ['TCP_FLAGS_TIER_OFF', 'APPLICATION_UNDETECTED']);
  const packets = stage.correlator.status().tiers.find(({ name }) => name === 'packets');
  assert.equal(packets?.state, 'ON');
  assert.ok((packets.sinceMicros ?? 0) > micros(onSince));
});

test('tiers that are off from the start are not shed', () => {
  const stage = new Stage().batch((story) =>
    story.tier('packets', false, 'no cgroup v2').tier('messages', false, 'no tracepoint'),
  );
  stage.batch((story) => story.opened(1, { ...HERE, counted: false }));
  assert.deepEqual(lacks(stage.flow), ['MESSAGES_TIER_OFF', 'TCP_FLAGS_TIER_OFF', 'APPLICATION_TIER_OFF']);
  assert.deepEqual(
    stage.correlator.status().tiers.map(({ name, state, reason }) => [name, state, reason]),
    [
      ['messages', 'UNAVAILABLE', 'no tracepoint'],
      ['packets', 'UNAVAILABLE', 'no cgroup v2'],
    ],
  );
});

/** A UDP flow with one peer, told of by messages and by packets. */
function exchangeOfDatagrams(story: Story): Story {
  return story.moved(1, 7, {
    peer: '192.0.2.53:53',
    local: '10.0.0.1',
    sent: 3000,
    messagesSent: 1,
    received: 500,
    messagesReceived: 2,
  });
}

test('octets of datagrams are those of the wire: fragments are counted, not computed', () => {
  const stage = new Stage().batch((story) => exchangeOfDatagrams(story.opened(1, UDP)));
  assert.deepEqual([stage.flow.client.sent.octets, stage.flow.client.sent.packets], [3028, 1]);
  stage.batch((story) => story.wire(1, '192.0.2.53:53', { sent: [3000, 3], received: [500, 2] }));
  const { client, server } = stage.flow;
  assert.deepEqual([client.sent.octets, client.sent.packets, client.sent.octetsDerived], [3084, 3, false]);
  assert.deepEqual([server.sent.octets, server.sent.packets, server.sent.payloadBytes], [556, 2, 500]);
  assert.equal(client.sent.payloadBytes, 3000);
  assert.equal(client.sent.messages, 1);
});

test('a reading of the wire that is older than that of the messages waits for the next', () => {
  const stage = new Stage().batch((story) =>
    exchangeOfDatagrams(story.opened(1, UDP)).wire(1, '192.0.2.53:53', { sent: [1000, 1], received: [500, 2] }),
  );
  assert.equal(stage.flow.client.sent.octets, 3028);
  assert.equal(stage.flow.server.sent.octets, 556);
});

test('a part of the wire says nothing', () => {
  const stage = new Stage().batch((story) =>
    exchangeOfDatagrams(story.opened(1, UDP)).wire(1, '192.0.2.53:53', {
      sent: [9000, 9],
      received: [900, 9],
      part: true,
    }),
  );
  assert.equal(stage.flow.client.sent.octets, 3028);
});

test('the counters of the wire go on over the end of a flow by silence, and over their own', () => {
  const stage = new Stage().batch((story) =>
    exchangeOfDatagrams(story.opened(1, UDP)).wire(1, '192.0.2.53:53', { sent: [3000, 3], received: [500, 2] }),
  );
  stage.wait(31_000).wait(1000);
  assert.equal(stage.flow.endReason, 'IDLE');
  stage.batch((story) =>
    story
      .moved(1, 7, {
        peer: '192.0.2.53:53',
        local: '10.0.0.1',
        sent: 3010,
        messagesSent: 2,
        received: 500,
        messagesReceived: 2,
      })
      .wire(1, '192.0.2.53:53', { sent: [3010, 4], received: [500, 2], final: true }),
  );
  const [, second] = stage.flows;
  assert.deepEqual([second?.client.sent.octets, second?.client.sent.packets], [38, 1]);
  stage.batch((story) =>
    story
      .moved(1, 7, {
        peer: '192.0.2.53:53',
        local: '10.0.0.1',
        sent: 3020,
        messagesSent: 3,
        received: 500,
        messagesReceived: 2,
      })
      .wire(1, '192.0.2.53:53', { sent: [10, 1] }),
  );
  assert.deepEqual([second?.client.sent.octets, second?.client.sent.packets], [76, 2]);
  stage.wait(31_000).wait(1000);
  stage.batch((story) => story.ended(1, UDP));
  assert.equal(stage.correlator.sizes()['idle'], 0);
});

test('without messages the wire alone tells of a connected socket', () => {
  const connected = { protocol: 17, from: '10.0.0.1:5000', to: '192.0.2.53:53', counted: false };
  const stage = new Stage().batch((story) =>
    story.opened(1, connected).wire(1, '', { sent: [30, 1], received: [90, 1] }),
  );
  const { client, server } = stage.flow;
  assert.deepEqual([client.sent.octets, client.sent.payloadBytes, client.sent.messages], [58, 30, null]);
  assert.deepEqual([server.sent.octets, server.sent.payloadBytes], [118, 90]);
  assert.ok(!lacks(stage.flow).includes('OCTETS_UNKNOWN'));
});

test('of a socket that asks for no sender, all is the one peer that the packets tell of', () => {
  const stage = new Stage().batch((story) =>
    story
      .seen(7, 'syslogd')
      .opened(1, { protocol: 17, from: '0.0.0.0:514' })
      .moved(1, 7, { received: 300, messagesReceived: 3, peerUnknown: true })
      .wire(1, '192.0.2.9:4000', { received: [400, 4] }),
  );
  assert.equal(line(stage.flow), 'UDP 192.0.2.9:4000 ? →300 ←0 0.0.0.0:514 syslogd OPEN INBOUND');
  assert.deepEqual(lacks(stage.flow), ['LOCAL_ADDRESS_UNKNOWN', 'APPLICATION_TIER_OFF']);
  assert.equal(stage.flow.client.sent.octets, 400 + 4 * 28, 'one more has arrived than was read');
});

test('of several peers each has its own when the sums agree', () => {
  const stage = new Stage().batch((story) =>
    story
      .seen(7, 'syslogd')
      .opened(1, { protocol: 17, from: '0.0.0.0:514' })
      .moved(1, 7, { received: 300, messagesReceived: 3, peerUnknown: true })
      .wire(1, '192.0.2.9:4000', { received: [100, 1] })
      .wire(1, '192.0.2.8:4000', { received: [150, 2] }),
  );
  assert.equal(stage.flows.length, 0, 'something is missing yet');
  stage.batch((story) => story.wire(1, '192.0.2.8:4000', { received: [200, 2] }));
  assert.deepEqual(stage.flows.map(line), [
    'UDP 192.0.2.9:4000 ? →100 ←0 0.0.0.0:514 syslogd OPEN INBOUND',
    'UDP 192.0.2.8:4000 ? →200 ←0 0.0.0.0:514 syslogd OPEN INBOUND',
  ]);
  assert.ok(stage.flows.every((flow) => !lacks(flow).includes('PEER_UNKNOWN')));
  stage.batch((story) =>
    story
      .moved(1, 7, { received: 350, messagesReceived: 4, peerUnknown: true })
      .wire(1, '192.0.2.9:4000', { received: [150, 2] })
      .ended(1, { protocol: 17, from: '0.0.0.0:514' }),
  );
  assert.deepEqual(
    stage.flows.map((flow) => flow.client.sent.payloadBytes),
    [150, 200],
  );
});

test('sums that do not agree keep the note, and every byte is given once', () => {
  const stage = new Stage().batch((story) =>
    story
      .seen(7, 'syslogd')
      .opened(1, { protocol: 17, from: '0.0.0.0:514' })
      .moved(1, 7, { received: 500, messagesReceived: 5, peerUnknown: true })
      .wire(1, '192.0.2.9:4000', { received: [100, 1] })
      .wire(1, '192.0.2.8:4000', { received: [200, 2] }),
  );
  stage.wait(1100);
  assert.deepEqual(stage.flows.map((flow) => [flow.client.address, flow.client.sent.payloadBytes]).sort(), [
    ['0.0.0.0', 200],
    ['192.0.2.8', 200],
    ['192.0.2.9', 100],
  ]);
  assert.ok(stage.flows.every((flow) => lacks(flow).includes('PEER_UNKNOWN')));
});

test('one peer by packets cannot have sent more than arrived from it', () => {
  const stage = new Stage().batch((story) =>
    story
      .seen(7, 'syslogd')
      .opened(1, { protocol: 17, from: '0.0.0.0:514' })
      .moved(1, 7, { received: 500, messagesReceived: 5, peerUnknown: true })
      .wire(1, '192.0.2.9:4000', { received: [100, 1] }),
  );
  stage.wait(1100);
  assert.deepEqual(stage.flows.map((flow) => [flow.client.address, flow.client.sent.payloadBytes]).sort(), [
    ['0.0.0.0', 400],
    ['192.0.2.9', 100],
  ]);
});
