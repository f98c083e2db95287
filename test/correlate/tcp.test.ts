import assert from 'node:assert/strict';
import test from 'node:test';
import { AGENT_START_MS, EPOCH_MS, line, notes, sentBy, shares, Stage, TCP_STATE, type Story } from './dsl.js';

const CLIENT = { from: '10.0.0.1:5000', to: '192.0.2.9:443' };
const LOOP = { from: '127.0.0.1:5000', to: '127.0.0.1:80' };
const LOOP_BACK = { from: '127.0.0.1:80', to: '127.0.0.1:5000', passive: true };

const people = (story: Story): Story =>
  story
    .seen(1, 'init')
    .seen(100, 'curl', { parent: 1, uid: 1000 })
    .seen(200, 'nginx', { parent: 1 })
    .seen(201, 'worker', { parent: 200 });

test('an outbound connection opens, moves bytes and ends', () => {
  const stage = new Stage().batch((story) =>
    people(story).opened(1, { ...CLIENT, opener: 100, creator: 100, state: TCP_STATE.synSent }),
  );
  assert.equal(line(stage.flow), 'TCP 10.0.0.1:5000 curl →0 ←0 192.0.2.9:443 ? OPENING OUTBOUND');
  stage.batch((story) =>
    story.update(1, { ...CLIENT, mover: 100, sent: 5, received: 9 }).moved(1, 100, { sent: 5, received: 9 }),
  );
  assert.equal(line(stage.flow), 'TCP 10.0.0.1:5000 curl →5 ←9 192.0.2.9:443 ? OPEN OUTBOUND');
  stage.batch((story) =>
    story
      .ended(1, { ...CLIENT, closer: 100, mover: 100, sent: 5, received: 9, fromState: TCP_STATE.finWait2 })
      .moved(1, 100, { sent: 5, received: 9, final: true }),
  );
  assert.equal(line(stage.flow), 'TCP 10.0.0.1:5000 curl →5 ←9 192.0.2.9:443 ? END_OF_FLOW OUTBOUND');
  assert.equal(notes(stage.flow), '');
  assert.deepEqual(
    stage.facts().filter((fact) => fact.includes('→')),
    ['STARTED curl→?', 'UPDATED curl→?', 'ENDED curl→?'],
  );
  assert.equal(stage.flow.startMicros, (EPOCH_MS + AGENT_START_MS + 40) * 1000);
  assert.equal(stage.flow.endMicros, (EPOCH_MS + AGENT_START_MS + 80) * 1000);
  assert.equal(stage.flow.client.creator?.name, 'curl');
  assert.match(stage.flow.id, /^f_[\w-]+$/);
  assert.match(stage.flow.communityId ?? '', /^1:/);
});

test('octets are derived from segments and headers, packets are segments', () => {
  const more = { segmentsOut: 10, segmentsIn: 7, headerBytes: 32, retransmits: 2, bytesRetransmitted: 100 };
  const stage = new Stage().batch((story) =>
    story.opened(1, { ...CLIENT, counted: false, sent: 1100, received: 500, unsent: 50, more }),
  );
  const { client, server } = stage.flow;
  assert.deepEqual(sentBy(client), {
    octets: 1100 + 10 * 52 + 8,
    packets: 10,
    payloadBytes: 1050,
    messages: null,
    retransmittedPackets: 2,
    octetsDerived: true,
    tcpFlags: null,
  });
  assert.equal(server.sent.octets, 500 + 7 * 52 + 8);
  assert.equal(server.sent.packets, 7);
  assert.equal(server.sent.retransmittedPackets, null);
  assert.equal(stage.flow.rttMicros, 100);
  assert.equal(stage.flow.minRttMicros, 50);
  assert.match(notes(stage.flow), /MESSAGES_TIER_OFF/);
});

test('IPv6 has larger headers, and mapped addresses are IPv4', () => {
  const stage = new Stage()
    .batch((story) => story.opened(1, { from: '[2001:db8::1]:5000', to: '[2001:db8::2]:80' }))
    .batch((story) => story.opened(2, { from: '[::ffff:10.0.0.1]:5001', to: '[::ffff:10.0.0.2]:80' }));
  const [six, four] = stage.flows;
  assert.deepEqual([six?.ipVersion, six?.client.sent.octets], [6, 2 * 72 + 8]);
  assert.deepEqual([four?.ipVersion, four?.client.address, four?.client.sent.octets], [4, '10.0.0.1', 2 * 52 + 8]);
});

test('a connection is first seen at its end: it starts and ends in one batch', () => {
  const stage = new Stage().batch((story) =>
    people(story)
      .ended(1, { ...CLIENT, opener: 100, sent: 3 })
      .moved(1, 100, { sent: 3 }),
  );
  assert.equal(line(stage.flow), 'TCP 10.0.0.1:5000 curl →3 ←0 192.0.2.9:443 ? END_OF_FLOW OUTBOUND');
  assert.deepEqual(stage.facts().slice(-2), ['STARTED curl→?', 'ENDED curl→?']);
});

for (const [error, reason] of [
  [111, 'REFUSED'],
  [110, 'TIMED_OUT'],
  [113, 'UNREACHABLE'],
  [101, 'UNREACHABLE'],
  [0, 'ABORTED'],
] as const) {
  test(`a connect that fails with errno ${error} is ${reason}, at once and also to this host`, () => {
    const stage = new Stage().batch((story) => story.opened(1, { ...LOOP, state: TCP_STATE.synSent }));
    stage.batch((story) => story.ended(1, { ...LOOP, error, fromState: TCP_STATE.synSent }));
    assert.equal(stage.flow.endReason, reason);
  });
}

for (const [words, reason] of [
  [{ error: 104 }, 'RESET'],
  [{ error: 32 }, 'RESET'],
  [{ resetSent: true }, 'RESET'],
  [{ error: 110 }, 'TIMED_OUT'],
  [{}, 'END_OF_FLOW'],
] as const) {
  test(`a connection whose end is ${JSON.stringify(words)} ended by ${reason}`, () => {
    const stage = new Stage()
      .batch((story) => story.opened(1, CLIENT))
      .batch((story) => story.ended(1, { ...CLIENT, ...words }));
    assert.equal(stage.flow.endReason, reason);
  });
}

const client = (story: Story): Story => people(story).opened(1, { ...LOOP, opener: 100 });
const server = (story: Story): Story => story.opened(2, { ...LOOP_BACK, holder: 201 });
const JOINED = 'TCP 127.0.0.1:5000 curl →0 ←0 127.0.0.1:80 worker OPEN LOCAL';

test('two local sockets of one connection are one flow, in one batch', () => {
  const stage = new Stage().batch((story) => server(client(story)));
  assert.equal(line(stage.flow), JOINED);
  assert.deepEqual(
    stage.facts().filter((fact) => fact.includes('→')),
    ['STARTED curl→worker'],
  );
});

test('in one batch the flow is named after its client, whoever came first', () => {
  const straight = new Stage().batch((story) => server(client(story)));
  const turned = new Stage().batch((story) => client(server(story)));
  assert.equal(line(turned.flow), JOINED);
  assert.equal(turned.flow.id, straight.flow.id);
});

test('halves that come in two batches are joined, in either order, and keep the name first told', () => {
  for (const order of [
    [client, server],
    [server, client],
  ] as const) {
    const stage = new Stage().batch(people).batch(order[0]);
    const { id } = stage.flow;
    stage.batch(order[1]);
    assert.equal(line(stage.flow), JOINED);
    assert.equal(stage.flow.id, id);
    assert.equal(stage.correlator.flow(id), stage.flow);
  }
});

test('each local end tells what it sent; the flow ends when both ends have', () => {
  const stage = new Stage().batch((story) => server(client(story)));
  stage.batch((story) =>
    story
      .update(1, { ...LOOP, sent: 10, received: 20, mover: 100 })
      .update(2, { ...LOOP_BACK, sent: 20, received: 10, mover: 201 })
      .moved(1, 100, { sent: 10, received: 20 })
      .moved(2, 201, { sent: 20, received: 10 }),
  );
  assert.equal(line(stage.flow), 'TCP 127.0.0.1:5000 curl →10 ←20 127.0.0.1:80 worker OPEN LOCAL');
  assert.equal(stage.facts().filter((fact) => fact.startsWith('UPDATED')).length, 1);
  stage.batch((story) => story.ended(1, { ...LOOP, sent: 10, received: 20 }));
  assert.equal(stage.flow.state, 'CLOSING');
  stage.wait(60_000);
  assert.equal(stage.flow.state, 'CLOSING', 'a half-open connection stays');
  stage.batch((story) =>
    story.ended(2, { ...LOOP_BACK, sent: 25, received: 10 }).moved(2, 201, { sent: 25, received: 10 }),
  );
  assert.equal(line(stage.flow), 'TCP 127.0.0.1:5000 curl →10 ←25 127.0.0.1:80 worker END_OF_FLOW LOCAL');
});

test('the more specific reason of two ends wins', () => {
  const stage = new Stage().batch((story) => server(client(story)));
  stage.batch((story) => story.ended(1, { ...LOOP, error: 104 })).batch((story) => story.ended(2, LOOP_BACK));
  assert.equal(stage.flow.endReason, 'RESET');
});

test('an end on this host that was not heard of yet is waited for', () => {
  const stage = new Stage().batch(client).batch((story) => story.ended(1, LOOP));
  assert.equal(stage.flow.state, 'CLOSING');
  stage.batch(server);
  assert.equal(stage.flow.client.process?.name, 'curl');
  assert.equal(stage.flow.server.process?.name, 'worker');
  stage.batch((story) => story.ended(2, LOOP_BACK));
  assert.equal(stage.flow.endReason, 'END_OF_FLOW');
});

test('an end in another namespace that was not heard of yet is waited for', () => {
  const there = { from: '172.17.0.1:5000', to: '172.17.0.2:80', netns: 7 };
  const here = { from: '172.17.0.2:80', to: '172.17.0.1:5000', passive: true, netns: 8 };
  const stage = new Stage().batch((story) =>
    people(story)
      .address('172.17.0.2', { netns: 8 })
      .opened(1, { ...there, opener: 100 }),
  );
  stage.batch((story) => story.ended(1, there));
  assert.equal(stage.flow.state, 'CLOSING');
  stage.batch((story) => story.ended(2, { ...here, closer: 201 }));
  assert.equal(line(stage.flow), 'TCP 172.17.0.1:5000 curl →0 ←0 172.17.0.2:80 worker END_OF_FLOW LOCAL');
});

test('an end on this host that is never heard of is waited for a short while', () => {
  const stage = new Stage()
    .batch(client)
    .batch((story) => story.ended(1, LOOP))
    .wait(1000);
  assert.equal(stage.flow.state, 'CLOSING');
  stage.wait(600);
  assert.equal(stage.flow.endReason, 'END_OF_FLOW');
  assert.equal(stage.correlator.sizes().lingering, 0);
});

test('halves in two namespaces are joined when they are the only ones that fit', () => {
  const there = { from: '172.17.0.1:5000', to: '172.17.0.2:80' };
  const here = { from: '172.17.0.2:80', to: '172.17.0.1:5000', passive: true, netns: 7 };
  const stage = new Stage().batch((story) =>
    people(story)
      .opened(1, { ...there, opener: 100 })
      .opened(2, { ...here, holder: 201 }),
  );
  assert.equal(line(stage.flow), 'TCP 172.17.0.1:5000 curl →0 ←0 172.17.0.2:80 worker OPEN LOCAL');
  assert.deepEqual([stage.flow.client.netns, stage.flow.server.netns], [4026531840, 7]);
});

test('loopback of two namespaces is not one loopback', () => {
  const stage = new Stage().batch((story) => story.opened(1, LOOP).opened(2, { ...LOOP_BACK, netns: 7 }));
  assert.equal(stage.flows.length, 2);
});

test('two halves that fit in other namespaces are no evidence', () => {
  const there = { from: '172.17.0.1:5000', to: '172.17.0.2:80' };
  const here = { from: '172.17.0.2:80', to: '172.17.0.1:5000', passive: true };
  const stage = new Stage().batch((story) =>
    story
      .opened(2, { ...here, netns: 7 })
      .opened(3, { ...here, netns: 8 })
      .opened(1, there),
  );
  assert.equal(stage.flows.length, 3);
});

test('the same addresses in two namespaces stay two flows, each with its own namespace', () => {
  const stage = new Stage().batch((story) =>
    people(story)
      .opened(1, { ...LOOP, opener: 100 })
      .opened(2, { ...LOOP, opener: 201, netns: 7 })
      .opened(3, { ...LOOP_BACK, holder: 200 })
      .opened(4, { ...LOOP_BACK, holder: 1, netns: 7 }),
  );
  assert.deepEqual(stage.flows.map(line), [
    'TCP 127.0.0.1:5000 curl →0 ←0 127.0.0.1:80 nginx OPEN LOCAL',
    'TCP 127.0.0.1:5000 worker →0 ←0 127.0.0.1:80 init OPEN LOCAL',
  ]);
});

test('the remote end is on this host when the namespace has its address', () => {
  const stage = new Stage().batch((story) =>
    story.address('10.0.0.2').opened(1, { from: '10.0.0.1:5000', to: '10.0.0.2:80' }),
  );
  assert.equal(stage.flow.direction, 'LOCAL');
  stage.batch((story) =>
    story.address('10.0.0.2', { removed: true }).opened(2, { from: '10.0.0.1:5001', to: '10.0.0.2:80' }),
  );
  assert.equal(stage.flows[1]?.direction, 'OUTBOUND');
});

test('an accepted connection from elsewhere is inbound', () => {
  const stage = new Stage().batch((story) =>
    story.opened(1, { from: '10.0.0.1:80', to: '198.51.100.1:4000', passive: true }),
  );
  assert.equal(line(stage.flow), 'TCP 198.51.100.1:4000 ? →0 ←0 10.0.0.1:80 ? OPEN INBOUND');
  assert.equal(notes(stage.flow), 'OWNER_UNKNOWN');
});

test('owners in the order of trust', () => {
  const accepted = { from: '10.0.0.1:80', to: '198.51.100.1:4000', passive: true };
  const stage = new Stage().batch((story) =>
    people(story).seen(300, 'closer').seen(301, 'mover').listens(9, ':80', { holder: 200 }).opened(1, accepted),
  );
  const owner = (): string | undefined => stage.flow.server.process?.name;
  assert.equal(owner(), 'nginx');
  assert.equal(notes(stage.flow), 'OWNER_FROM_LISTENER');
  stage.batch((story) => story.update(1, { ...accepted, creator: 1 }));
  assert.equal(owner(), 'init');
  assert.equal(notes(stage.flow), '');
  stage.batch((story) => story.update(1, { ...accepted, holder: 201 }));
  assert.equal(owner(), 'worker');
  stage.batch((story) => story.update(1, { ...accepted, closer: 300 }));
  assert.equal(owner(), 'closer');
  stage.batch((story) => story.update(1, { ...accepted, mover: 301 }));
  assert.equal(owner(), 'mover');
  stage.batch((story) => story.update(1, { ...accepted, closer: 300 }));
  assert.equal(owner(), 'mover');
  assert.deepEqual([...stage.process(200).flows], [], 'who lost it has no part in it');
  assert.deepEqual([...stage.process(301).flows], [stage.flow]);
  assert.deepEqual([...stage.process(1).flows], [stage.flow], 'it made the socket');
});

test('a listener with two owners tells nothing', () => {
  const accepted = { from: '10.0.0.1:80', to: '198.51.100.1:4000', passive: true };
  const stage = new Stage().batch((story) =>
    people(story).listens(8, ':80', { holder: 200 }).listens(9, ':80', { holder: 201 }).opened(1, accepted),
  );
  assert.equal(stage.flow.server.process, null);
  stage.batch((story) => story.ended(8, { from: ':80', listener: true }));
  stage.batch((story) => story.opened(2, { ...accepted, to: '198.51.100.1:4001' }));
  assert.equal(stage.flows[1]?.server.process?.name, 'worker');
});

test('prefork: every worker has its own bytes, and the last one that moved is the owner', () => {
  const accepted = { from: '10.0.0.1:80', to: '198.51.100.1:4000', passive: true };
  const stage = new Stage().batch((story) =>
    people(story)
      .opened(1, { ...accepted, mover: 201, sent: 30, received: 3 })
      .moved(1, 200, { sent: 10, received: 3, last: 10_010 })
      .moved(1, 201, { sent: 20, last: 10_030 }),
  );
  assert.equal(shares(stage.flow.server), 'nginx 10/3, worker 20/0');
  assert.equal(stage.flow.server.sent.payloadBytes, 30);
  assert.equal(stage.flow.server.process?.name, 'worker');
  assert.equal(stage.process(200).flows.size, 1);
});

test('a descriptor that is passed on keeps what the first owner moved', () => {
  const stage = new Stage().batch((story) =>
    people(story)
      .opened(1, { ...CLIENT, opener: 100, mover: 100, sent: 100 })
      .moved(1, 100, { sent: 100 }),
  );
  stage.batch((story) =>
    story
      .update(1, { ...CLIENT, mover: 201, sent: 5000 })
      .moved(1, 100, { sent: 100, final: true })
      .moved(1, 201, { sent: 4900 }),
  );
  assert.equal(shares(stage.flow.client), 'curl 100/0, worker 4900/0');
  assert.equal(stage.flow.client.process?.name, 'worker');
});

test('counters that end and begin again add up', () => {
  const stage = new Stage()
    .batch((story) =>
      people(story)
        .opened(1, { ...CLIENT, opener: 100 })
        .moved(1, 100, { sent: 100, received: 7, final: true }),
    )
    .batch((story) => story.moved(1, 100, { sent: 11 }))
    .batch((story) => story.moved(1, 100, { sent: 12, final: true }).moved(1, 100, { sent: 3 }));
  assert.equal(shares(stage.flow.client), 'curl 115/7');
  assert.equal(stage.flow.client.sent.payloadBytes, 115);
});

test('what splice(2) took unseen is the last owner’s, live and at the end, and is not counted twice', () => {
  const stage = new Stage().batch((story) =>
    people(story)
      .opened(1, { ...CLIENT, opener: 100, mover: 100, received: 1000, unread: 100 })
      .moved(1, 100, { received: 400 }),
  );
  assert.equal(shares(stage.flow.client), 'curl 0/900');
  stage.batch((story) => story.moved(1, 100, { received: 900 }));
  assert.equal(shares(stage.flow.client), 'curl 0/900', 'a late reading of the messages takes its part back');
  stage.batch((story) => story.ended(1, { ...CLIENT, closer: 201, mover: 100, received: 1500 }));
  assert.equal(shares(stage.flow.client), 'curl 0/900, worker 0/600');
  assert.equal(stage.flow.server.sent.payloadBytes, 1500);
});

test('bytes moved by nobody with a name still count', () => {
  const stage = new Stage().batch((story) =>
    story.opened(1, { ...CLIENT, sent: 70 }).moved(1, undefined, { sent: 70 }),
  );
  assert.equal(stage.flow.client.sent.payloadBytes, 70);
});

test('a connection from before the agent has its true counters, and its start is not known', () => {
  const stage = new Stage().batch((story) =>
    people(story).listens(9, ':22', { holder: 200, seeded: true }).seenSocket(1, {
      from: '10.0.0.1:22',
      to: '198.51.100.1:4000',
      seeded: true,
      first: null,
      holder: 201,
      sent: 9,
      received: 4,
    }),
  );
  assert.equal(line(stage.flow), 'TCP 198.51.100.1:4000 ? →4 ←9 10.0.0.1:22 worker OPEN INBOUND');
  assert.equal(notes(stage.flow), 'START_TIME_UNKNOWN');
  assert.ok(stage.flow.startedBefore);
  assert.equal(stage.flow.startMicros, (EPOCH_MS + AGENT_START_MS + 20) * 1000);
});

test('the side of an old connection is guessed by ports, and the other end knows better', () => {
  const stage = new Stage().batch((story) =>
    story.seenSocket(1, { ...LOOP, from: '127.0.0.1:70', to: '127.0.0.1:5000', seeded: true }),
  );
  assert.equal(stage.flow.server.port, 70);
  stage.batch((story) =>
    story.seenSocket(2, { from: '127.0.0.1:5000', to: '127.0.0.1:70', seeded: true, passive: true }),
  );
  assert.equal(stage.flow.client.port, 70);
  assert.equal(stage.flow.server.port, 5000);
});

test('a socket that connects again is another flow', () => {
  const retry = { ...CLIENT, to: '192.0.2.9:80' };
  const failed = { error: 111, fromState: TCP_STATE.synSent };
  const inOne = new Stage().batch((story) =>
    story
      .opened(1, { ...CLIENT, state: TCP_STATE.synSent })
      .ended(1, { ...CLIENT, ...failed })
      .opened(1, { ...retry, state: TCP_STATE.synSent })
      .ended(1, { ...retry, ...failed }),
  );
  const inTwo = new Stage()
    .batch((story) => story.opened(1, { ...CLIENT, state: TCP_STATE.synSent }).ended(1, { ...CLIENT, ...failed }))
    .batch((story) => story.opened(1, { ...retry, state: TCP_STATE.synSent }).ended(1, { ...retry, ...failed }));
  for (const { flows } of [inOne, inTwo]) {
    assert.deepEqual(
      flows.map((flow) => [flow.server.port, flow.endReason]),
      [
        [443, 'REFUSED'],
        [80, 'REFUSED'],
      ],
    );
    assert.notEqual(flows[0]?.id, flows[1]?.id);
  }
});

test('rows that were read before the end of a socket do not bring it back', () => {
  const stage = new Stage()
    .batch((story) => story.opened(1, CLIENT))
    .batch((story) => story.ended(1, { ...CLIENT, sent: 5, counted: false }))
    .batch((story) =>
      story
        .update(1, { ...CLIENT, sent: 4 })
        .moved(1, 100, { sent: 4 })
        .ended(1, CLIENT),
    );
  assert.equal(stage.flow.state, 'ENDED');
  assert.equal(stage.correlator.sizes().sockets, 0);
  assert.equal(stage.correlator.sizes().aside, 0);
});

test('events that were lost are noted; the kernel’s counters are taken', () => {
  const stage = new Stage()
    .batch((story) =>
      people(story)
        .opened(1, { ...CLIENT, opener: 100 })
        .moved(1, 100, { sent: 3 }),
    )
    .batch((story) => story.lost('ringBuffer.socket', 7).update(1, { ...CLIENT, lost: true, sent: 10 }));
  assert.equal(stage.flow.client.sent.payloadBytes, 10);
  assert.equal(notes(stage.flow), 'EVENTS_LOST');
  assert.deepEqual(stage.correlator.status().losses[0], { place: 'ringBuffer.socket', count: 7 });
});

test('a full flow table refuses what is new and says how often', () => {
  const flows = { idleTimeoutMs: 30_000, keepEndedMs: 0, keepEndedMax: 10, maxLive: 1 };
  const stage = new Stage({ flows }).batch((story) =>
    story.opened(1, CLIENT).opened(2, { ...CLIENT, from: '10.0.0.1:5001' }),
  );
  stage.batch((story) => story.update(2, { ...CLIENT, from: '10.0.0.1:5001' }));
  assert.equal(stage.flow.client.port, 5000);
  assert.deepEqual(stage.correlator.status().losses.find((loss) => loss.place === 'flowTable')?.count, 1);
  stage.batch((story) => story.ended(1, CLIENT).ended(2, { ...CLIENT, from: '10.0.0.1:5001' }));
  assert.equal(stage.correlator.sizes().sockets, 0);
});

test('an ended flow that is forgotten for want of room is counted, one whose time is over is not', () => {
  const flows = { idleTimeoutMs: 30_000, keepEndedMs: 60_000, keepEndedMax: 1, maxLive: 10 };
  const other = { ...CLIENT, from: '10.0.0.1:5001' };
  const stage = new Stage({ flows }).batch((story) => story.opened(1, CLIENT).opened(2, other));
  const lost = (): number | undefined =>
    stage.correlator.status().losses.find(({ place }) => place === 'endedFlows')?.count;
  stage.batch((story) => story.ended(1, CLIENT)).wait(5000);
  assert.equal(lost(), 0);
  stage.batch((story) => story.ended(2, other)).wait(5000);
  assert.equal(lost(), 1);
  stage.wait(120_000);
  assert.equal(stage.flows.length, 0);
  assert.equal(lost(), 1);
});

test('a stop ends what is live by force', () => {
  const stage = new Stage().batch((story) => server(client(story)).opened(3, CLIENT));
  stage.facts();
  stage.correlator.close();
  assert.deepEqual(
    stage.flows.map((flow) => flow.endReason),
    ['FORCED', 'FORCED'],
  );
  assert.deepEqual(stage.facts().sort(), ['ENDED ?→?', 'ENDED curl→worker']);
});

test('an update without news is no fact', () => {
  const stage = new Stage().batch((story) =>
    people(story)
      .opened(1, { ...CLIENT, opener: 100 })
      .moved(1, 100, {}),
  );
  stage.facts();
  stage.batch((story) => story.update(1, { ...CLIENT, opener: 100 }).moved(1, 100, {}));
  assert.deepEqual(stage.facts(), []);
});

test('a flow that lasts is told of once per active timeout, though nothing moves on it', () => {
  const flows = { idleTimeoutMs: 30_000, activeTimeoutMs: 10_000, keepEndedMs: 0, keepEndedMax: 10, maxLive: 10 };
  const stage = new Stage({ flows }).batch((story) => people(story).opened(1, { ...CLIENT, opener: 100 }));
  stage.facts();
  const told = (): number => stage.facts().filter((fact) => fact.startsWith('UPDATED')).length;
  stage.wait(5000);
  assert.equal(told(), 0, 'told of less than a timeout ago');
  // It was told of after the last round began, so the next one leaves it out.
  stage.wait(10_000).wait(10_000);
  assert.equal(told(), 1);
  stage.wait(10_000);
  assert.equal(told(), 1);
});
