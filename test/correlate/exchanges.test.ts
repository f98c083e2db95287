import assert from 'node:assert/strict';
import test from 'node:test';
import { EXCHANGE_FLAG, USAGE_FLAG } from '../../src/capture/layout.js';
import { exchangeNotes, exchangesOf, type Exchange } from '../../src/correlate/index.js';
import { EPOCH_MS, plain, Stage, type Story } from './dsl.js';

const CLIENT = { from: '127.0.0.1:5000', to: '127.0.0.1:80' };
const SERVER = { from: '127.0.0.1:80', to: '127.0.0.1:5000', passive: true };
/** The server of a client elsewhere. */
const INBOUND = { from: '192.0.2.1:80', to: '198.51.100.7:5000', passive: true };
const OUTBOUND = { from: '192.0.2.1:5000', to: '198.51.100.7:80' };

/** Both ends on this host: curl on socket 1, nginx on socket 2. */
function bothEnds(): Stage {
  const stage = new Stage().batch((story) =>
    story
      .seen(10, 'curl')
      .seen(20, 'nginx')
      .opened(1, { ...CLIENT, opener: 10 })
      .opened(2, { ...SERVER, mover: 20 }),
  );
  stage.facts();
  return stage;
}

const micros = (ms: number): number => (EPOCH_MS + ms) * 1000;

/** What can be said in one line. */
function line(exchange: Exchange): string {
  const { method, target, status, outcome, durationMs, serverTimeMs, client, server } = exchange;
  const time = `${String(durationMs ?? '…')}/${String(serverTimeMs ?? '?')} ms`;
  return `${method} ${target} ${String(status ?? '-')} ${outcome ?? 'LIVE'} ${time} ${client?.name ?? '?'}→${server?.name ?? '?'}`;
}

test('the halves of both ends are one exchange: times of the client, thread and usage of the server', () => {
  const stage = bothEnds();
  const at = stage.nowMs;
  stage.batch((story) =>
    story
      .asked(1, 'client', { pid: 10, start: at + 1, target: '/a', host: 'localhost', agent: 'curl/8' })
      .asked(2, 'server', { pid: 20, tid: 21, thread: 'pool-1', start: at + 2, target: '/a', host: 'localhost' }),
  );
  assert.deepEqual(stage.facts(), ['STARTED GET /a']);
  assert.equal(line(stage.exchange), 'GET /a - LIVE …/? ms curl→nginx');
  assert.equal(stage.exchange.endMicros, null);
  assert.deepEqual(stage.exchange.thread, { tid: 21, name: 'pool-1' });
  assert.equal(stage.exchange.usage, null);
  assert.deepEqual(exchangeNotes(stage.exchange), []);

  stage.batch((story) =>
    story.answered(2, 'server', {
      pid: 20,
      tid: 21,
      thread: 'pool-1',
      start: at + 2,
      responseStart: at + 6,
      end: at + 7,
      more: {
        cpuNs: 4e6,
        userNs: 3e6,
        systemNs: 1e6,
        memoryBytes: 5000,
        peakMemoryBytes: 9000,
        minorFaults: 7,
        majorFaults: 1,
        ioWaitNs: 1e6,
        readBytes: 4096,
        writtenBytes: 512,
        voluntarySwitches: 3,
        involuntarySwitches: 2,
        threadCpuNs: 2e6,
        threadUserNs: 1.5e6,
        threadSystemNs: 0.5e6,
        threadMinorFaults: 6,
        threadMajorFaults: 1,
        threadIoWaitNs: 0.5e6,
        threadReadBytes: 4096,
        threadWrittenBytes: 0,
        threadVoluntarySwitches: 1,
        threadInvoluntarySwitches: 0,
      },
    }),
  );
  assert.deepEqual(stage.facts(), [], 'the client has not got it yet');
  stage.batch((story) =>
    story.answered(1, 'client', { pid: 10, start: at + 1, requestEnd: at + 2, responseStart: at + 8, end: at + 9 }),
  );
  assert.deepEqual(stage.facts(), ['ENDED GET /a']);
  const { exchange } = stage;
  assert.equal(line(exchange), 'GET /a 200 ANSWERED 8/5 ms curl→nginx');
  assert.equal(exchange.startMicros, micros(at + 1));
  assert.equal(exchange.requestEndMicros, micros(at + 2));
  assert.equal(exchange.firstResponseByteMicros, micros(at + 8));
  assert.equal(exchange.endMicros, micros(at + 9));
  assert.deepEqual([exchange.requestBytes, exchange.responseBytes], [100, 1000]);
  assert.deepEqual([exchange.protocol, exchange.hostHeader, exchange.userAgent], ['HTTP/1.1', 'localhost', 'curl/8']);
  const window = { from: micros(at + 2), to: micros(at + 7) };
  assert.deepEqual(exchange.usage && plain(exchange.usage), {
    window,
    cpuTimeMs: 4,
    userMs: 3,
    systemMs: 1,
    memoryBytes: 5000,
    peakMemoryBytes: 9000,
    minorFaults: 7,
    majorFaults: 1,
    ioWaitMs: 1,
    readBytes: 4096,
    writtenBytes: 512,
    voluntarySwitches: 3,
    involuntarySwitches: 2,
  });
  assert.equal(exchange.usage?.averageCpuLoadPercent, 80);
  assert.deepEqual(exchange.threadUsage && plain(exchange.threadUsage), {
    window,
    cpuTimeMs: 2,
    userMs: 1.5,
    systemMs: 0.5,
    memoryBytes: null,
    peakMemoryBytes: null,
    minorFaults: 6,
    majorFaults: 1,
    ioWaitMs: 0.5,
    readBytes: 4096,
    writtenBytes: 0,
    voluntarySwitches: 1,
    involuntarySwitches: 0,
  });
  assert.deepEqual(exchangeNotes(exchange), []);
  assert.deepEqual([...exchangesOf(stage.flow)], [exchange]);
  assert.equal(stage.correlator.exchange(exchange.id), exchange);
});

test('a receiver that ran before its sender was seen does not turn time around', () => {
  const stage = bothEnds();
  const at = stage.nowMs;
  stage.batch((story) =>
    story.answered(2, 'server', { start: at + 1, end: at + 3 }).answered(1, 'client', { start: at + 2, end: at + 4 }),
  );
  assert.equal(stage.exchange.startMicros, micros(at + 1));
  assert.equal(stage.exchange.durationMs, 3);
});

test('with the client elsewhere the server tells all, with the server elsewhere nothing is known of it', () => {
  const served = new Stage().batch((story) => story.seen(20, 'nginx').opened(1, { ...INBOUND, mover: 20 }));
  served.batch((story) =>
    story.asked(1, 'server', { pid: 20, start: 10_030 }).answered(1, 'server', { pid: 20, start: 10_030, end: 10_035 }),
  );
  assert.equal(line(served.exchange), 'GET / 200 ANSWERED 5/5 ms ?→nginx');
  assert.deepEqual(exchangeNotes(served.exchange), []);

  const asked = new Stage().batch((story) => story.seen(10, 'curl').opened(1, { ...OUTBOUND, opener: 10 }));
  asked.batch((story) => story.answered(1, 'client', { pid: 10, start: 10_030, end: 10_035 }));
  assert.equal(line(asked.exchange), 'GET / 200 ANSWERED 5/? ms curl→?');
  assert.equal(asked.exchange.usage, null);
  assert.equal(asked.exchange.thread, null);
  assert.deepEqual(exchangeNotes(asked.exchange), ['SERVER_REMOTE']);
});

test('an end on this host that is not followed is waited for, once', () => {
  const stage = bothEnds();
  stage.batch((story) => story.answered(2, 'server', { pid: 20 }));
  assert.deepEqual(stage.facts(), ['STARTED GET /']);
  stage.wait(1600);
  assert.deepEqual(stage.facts(), ['ENDED GET /']);
  assert.deepEqual(exchangeNotes(stage.exchange), ['CLIENT_NOT_SEEN']);
  assert.equal(stage.exchange.client?.name, 'curl', 'who has the connection');
  stage.batch((story) => story.answered(2, 'server', { pid: 20, ordinal: 1 }));
  assert.deepEqual(stage.facts(), ['STARTED GET /', 'ENDED GET /'], 'the next one does not wait');
  stage.batch((story) => story.asked(1, 'client', { ordinal: 2 }).answered(2, 'server', { ordinal: 2 }));
  assert.deepEqual(stage.facts(), ['STARTED GET /'], 'it was heard of after all');
  assert.equal(stage.correlator.sizes()['exchangesWaiting'], 0);
});

test('a client that reads slowly keeps the exchange alive until it has it', () => {
  const stage = bothEnds();
  const at = stage.nowMs;
  stage.batch((story) => story.asked(1, 'client', { start: at }).answered(2, 'server', { start: at, end: at + 5 }));
  stage.wait(10_000);
  assert.equal(stage.exchange.outcome, null);
  stage.batch((story) => story.answered(1, 'client', { start: at, end: at + 9000 }));
  assert.equal(line(stage.exchange), 'GET / 200 ANSWERED 9000/5 ms curl→nginx');
});

test('many requests on one connection, also before their answers', () => {
  const stage = bothEnds();
  stage.batch((story) => {
    for (let ordinal = 0; ordinal < 5; ordinal++) story.asked(1, 'client', { ordinal, target: `/${ordinal}` });
    for (let ordinal = 0; ordinal < 5; ordinal++) story.asked(2, 'server', { ordinal, target: `/${ordinal}` });
  });
  stage.batch((story) => {
    for (let ordinal = 0; ordinal < 5; ordinal++) story.answered(2, 'server', { ordinal });
    for (let ordinal = 0; ordinal < 3; ordinal++) story.answered(1, 'client', { ordinal });
  });
  assert.deepEqual(
    stage.exchanges.map(({ target, outcome }) => `${target} ${outcome ?? 'LIVE'}`),
    ['/0 ANSWERED', '/1 ANSWERED', '/2 ANSWERED', '/3 LIVE', '/4 LIVE'],
  );
  const { liveExchanges, endedExchanges, exchangesStarted, exchangesEnded } = stage.correlator.status();
  assert.deepEqual([liveExchanges, endedExchanges, exchangesStarted, exchangesEnded], [2, 3, 5, 3]);
});

test('an end that was lost is known by the next one', () => {
  const stage = bothEnds();
  stage.batch((story) => {
    for (let ordinal = 0; ordinal < 4; ordinal++) story.asked(1, 'client', { ordinal }).asked(2, 'server', { ordinal });
    for (let ordinal = 0; ordinal < 4; ordinal++) story.answered(2, 'server', { ordinal });
    story.answered(1, 'client', { ordinal: 3 });
  });
  assert.deepEqual(
    stage.exchanges.map(({ outcome }) => outcome),
    ['ANSWERED', 'ANSWERED', 'ANSWERED', 'ANSWERED'],
  );
});

test('what became of it: unanswered, cut off, another protocol', () => {
  const stage = new Stage().batch((story) => story.opened(1, INBOUND));
  const start = stage.nowMs;
  stage.batch((story) =>
    story
      .answered(1, 'server', { ordinal: 0, start, end: null, flags: EXCHANGE_FLAG.unanswered })
      .answered(1, 'server', {
        ordinal: 1,
        flags: EXCHANGE_FLAG.incomplete | EXCHANGE_FLAG.headCut | EXCHANGE_FLAG.lost,
      })
      .answered(1, 'server', { ordinal: 2, status: 101, flags: EXCHANGE_FLAG.upgraded | EXCHANGE_FLAG.windowCut })
      .answered(1, 'server', { ordinal: 3, more: { version: 10 } }),
  );
  const [unanswered, cut, upgraded, old] = stage.exchanges;
  assert.equal(unanswered?.outcome, 'UNANSWERED');
  assert.equal(unanswered.status, null);
  assert.equal(unanswered.firstResponseByteMicros, null);
  assert.equal(unanswered.durationMs, 20, 'until the connection gave up');
  assert.equal(unanswered.serverTimeMs, null);
  assert.equal(cut?.outcome, 'INCOMPLETE');
  assert.deepEqual(exchangeNotes(cut), ['HEAD_CUT', 'EVENTS_LOST']);
  assert.equal(upgraded?.outcome, 'UPGRADED');
  assert.deepEqual(exchangeNotes(upgraded), ['WINDOW_CUT']);
  assert.equal(old?.protocol, 'HTTP/1.0');
});

test('the client that gave up decides, whatever its server did later', () => {
  const stage = bothEnds();
  const at = stage.nowMs;
  stage.batch((story) =>
    story
      .answered(1, 'client', { start: at, end: null, flags: EXCHANGE_FLAG.unanswered })
      .answered(2, 'server', { start: at, end: at + 15 }),
  );
  assert.equal(stage.exchange.outcome, 'UNANSWERED');
  assert.equal(stage.exchange.status, 200);
  assert.equal(stage.exchange.serverTimeMs, 15);
});

test('what could not be read of the usage is null, with its reason', () => {
  const stage = new Stage().batch((story) => story.opened(1, INBOUND));
  const only = (...flags: number[]): number => flags.reduce((all, flag) => all | flag, 0);
  stage.batch((story) =>
    story
      .answered(1, 'server', { ordinal: 0, usageFlags: 0 })
      .answered(1, 'server', { ordinal: 1, usageFlags: only(USAGE_FLAG.process) })
      .answered(1, 'server', {
        ordinal: 2,
        usageFlags: only(USAGE_FLAG.process, USAGE_FLAG.memory, USAGE_FLAG.peak, USAGE_FLAG.thread),
      }),
  );
  const [none, some, most] = stage.exchanges;
  assert.equal(none?.usage, null);
  assert.deepEqual(exchangeNotes(none), ['USAGE_UNKNOWN']);
  assert.deepEqual([some?.usage?.memoryBytes, some?.usage?.peakMemoryBytes, some?.usage?.ioWaitMs], [null, null, null]);
  assert.equal(some?.usage?.cpuTimeMs, 0);
  assert.equal(some.threadUsage, null);
  assert.deepEqual(exchangeNotes(some), ['THREAD_USAGE_UNKNOWN', 'PEAK_MEMORY_UNKNOWN', 'IO_WAIT_NOT_ACCOUNTED']);
  assert.notEqual(most?.threadUsage, null);
  assert.deepEqual(most && exchangeNotes(most), ['IO_WAIT_NOT_ACCOUNTED']);
});

test('targets show no query, no password and nothing that moves a cursor, unless the query is wanted', () => {
  const targets = [
    '/search?q=secret',
    '/a#fragment',
    'http://user:password@host/path?x=1',
    'user:password@host:443',
    '/plain@sign',
    '*',
    '/token/abc123/end',
    '/\u001b[2J\u202e',
  ];
  const shown = (queryStrings: boolean): string[] => {
    const stage = new Stage({
      exchanges: { keepEndedMs: 1000, keepEndedMax: 100, maxLive: 100, queryStrings, redact: ['/token/(\\w+)'] },
    }).batch((story) => story.opened(1, INBOUND));
    stage.batch((story) => {
      targets.forEach((target, ordinal) => story.asked(1, 'server', { ordinal, target }));
    });
    return stage.exchanges.map(({ target }) => target);
  };
  assert.deepEqual(shown(false), [
    '/search',
    '/a',
    'http://host/path',
    'host:443',
    '/plain@sign',
    '*',
    '/token/***/end',
    '/\\x1b[2J\\u{202e}',
  ]);
  assert.deepEqual(shown(true).slice(0, 3), ['/search?q=secret', '/a#fragment', 'http://host/path?x=1']);
});

test('rules for targets may change while the agent runs', () => {
  const stage = new Stage().batch((story) => story.opened(1, INBOUND).asked(1, 'server', { target: '/a?b' }));
  stage.correlator.reconfigure({ redact: [] }, { queryStrings: true, redact: ['b'] });
  stage.batch((story) => story.asked(1, 'server', { ordinal: 1, target: '/a?b' }));
  assert.deepEqual(
    stage.exchanges.map(({ target }) => target),
    ['/a', '/a?***'],
  );
});

test('hostile heads are cut and made printable', () => {
  const stage = new Stage().batch((story) => story.opened(1, INBOUND));
  stage.batch((story) =>
    story.asked(1, 'server', {
      method: 'X'.repeat(5000),
      target: `/${'y'.repeat(5000)}`,
      agent: Uint8Array.of(0xff, 0x00, 0x41),
      host: 'h'.repeat(5000),
    }),
  );
  const { method, target, userAgent, hostHeader } = stage.exchange;
  assert.equal(method.length, 32);
  assert.equal(target.length, 1024);
  assert.equal(hostHeader?.length, 256);
  assert.equal(userAgent, '\\xff\\x00A');
});

test('rows that come before their connection wait for it, and are given up when it never comes', () => {
  const stage = new Stage().batch((story) => story.answered(1, 'server').answered(9, 'server'));
  assert.equal(stage.exchanges.length, 0);
  assert.equal(stage.correlator.sizes()['exchangeAside'], 2);
  stage.batch((story) => story.opened(1, INBOUND));
  assert.equal(stage.exchange.outcome, 'ANSWERED');
  stage.batch(() => undefined, 6000);
  assert.equal(stage.correlator.sizes()['exchangeAside'], 0);
  assert.equal(lossOf(stage, 'exchangeAside'), 1);
});

test('what waits for connections is bounded', () => {
  const stage = new Stage();
  for (let i = 0; i < 50; i++) {
    stage.batch((story) => {
      for (let n = 0; n < 200; n++) story.asked(1000 * i + n + 1, 'server');
    });
    assert.ok((stage.correlator.sizes()['exchangeAside'] ?? 0) <= 4096);
  }
  assert.ok(lossOf(stage, 'exchangeAside') > 0);
});

test('rows that come after the end of their connection still count', () => {
  const stage = bothEnds();
  stage.batch((story) => story.asked(1, 'client').asked(2, 'server'));
  stage.batch((story) => story.ended(1, { ...CLIENT, closer: 10 }).ended(2, { ...SERVER, closer: 20 }));
  stage.batch((story) => story.answered(1, 'client').answered(2, 'server'));
  assert.equal(stage.exchange.outcome, 'ANSWERED');
  assert.equal(stage.exchange.flow, stage.flow);
});

test('what a connection left open ends a while after it', () => {
  const stage = bothEnds();
  stage.batch((story) => story.asked(1, 'client').asked(2, 'server'));
  stage.batch((story) => story.ended(1, CLIENT).ended(2, SERVER));
  const end = stage.flow.endMicros;
  assert.equal(stage.exchange.outcome, null);
  stage.wait(1600);
  assert.equal(stage.exchange.outcome, 'UNKNOWN');
  assert.equal(stage.exchange.endMicros, end);
  assert.deepEqual(exchangeNotes(stage.exchange), ['USAGE_UNKNOWN', 'END_UNKNOWN']);
  assert.deepEqual(stage.facts().slice(-1), ['ENDED GET /']);
});

test('when messages are put off, nothing tells of the end of what is live', () => {
  const stage = bothEnds().batch((story) => story.tier('messages', true).asked(1, 'client').asked(2, 'server'));
  stage.batch((story) => story.tier('messages', false, 'over the budget'));
  assert.equal(stage.exchange.outcome, 'UNKNOWN');
  assert.equal(stage.correlator.status().liveExchanges, 0);
});

test('a stop ends what is live', () => {
  const stage = bothEnds().batch((story) => story.asked(1, 'client'));
  stage.facts();
  stage.correlator.close();
  assert.deepEqual(stage.facts().slice(-1), ['ENDED GET /']);
});

test('ended exchanges are remembered for a time and up to a number; what goes early is counted', () => {
  const exchanges = { keepEndedMs: 5000, keepEndedMax: 3, maxLive: 2, queryStrings: false, redact: [] };
  const stage = new Stage({ exchanges }).batch((story) => story.opened(1, INBOUND));
  stage.batch((story) => {
    for (let ordinal = 0; ordinal < 5; ordinal++) story.answered(1, 'server', { ordinal, target: `/${ordinal}` });
  });
  const targets = (): string[] => stage.exchanges.map(({ target }) => target);
  assert.deepEqual(targets(), ['/2', '/3', '/4']);
  assert.equal(lossOf(stage, 'endedExchanges'), 2);
  stage.batch((story) => story.answered(1, 'server', { ordinal: 0, target: '/again' }));
  assert.deepEqual(targets(), ['/2', '/3', '/4'], 'a late row does not bring back what was forgotten');
  stage.batch((story) => {
    for (let ordinal = 5; ordinal < 9; ordinal++) story.asked(1, 'server', { ordinal, target: `/${ordinal}` });
  });
  assert.deepEqual(targets(), ['/2', '/3', '/4', '/5', '/6'], 'no room for more that are live');
  assert.equal(lossOf(stage, 'liveExchanges'), 2);
  stage.batch((story) => story.answered(1, 'server', { ordinal: 8, target: '/8' }), 100);
  assert.deepEqual(targets(), ['/5', '/6', '/8'], 'the last one says that those before it are over');
  assert.equal(lossOf(stage, 'endedExchanges'), 5);
  stage.wait(5200);
  assert.equal(lossOf(stage, 'endedExchanges'), 5, 'their time was over');
  assert.deepEqual(targets(), []);
});

test('exchanges go with their flow, and leave nothing behind', () => {
  const stage = new Stage({
    flows: { idleTimeoutMs: 1000, keepEndedMs: 1000, keepEndedMax: 100, maxLive: 1000 },
    exchanges: { keepEndedMs: 600_000, keepEndedMax: 1000, maxLive: 100, queryStrings: false, redact: [] },
  });
  stage.batch((story) => story.opened(1, INBOUND).answered(1, 'server').asked(1, 'server', { ordinal: 1 }));
  const [{ id } = { id: '' }] = stage.exchanges;
  stage.batch((story) => story.ended(1, INBOUND));
  assert.notEqual(stage.correlator.exchange(id), undefined);
  stage.wait(3000);
  assert.equal(stage.correlator.exchange(id), undefined);
  const { exchangesStarted, exchangesEnded } = stage.correlator.status();
  assert.deepEqual([exchangesStarted, exchangesEnded], [2, 2]);
  stage.wait(3000);
  const { exchanges, exchangeFlows, exchangeSockets, exchangesWaiting, flows } = stage.correlator.sizes();
  assert.deepEqual([exchanges, exchangeFlows, exchangeSockets, exchangesWaiting, flows], [0, 0, 0, 0, 0]);
});

test('ids name flow and ordinal, and no other', () => {
  const stage = new Stage().batch((story) => story.opened(1, INBOUND).answered(1, 'server', { ordinal: 40 }));
  const { id } = stage.exchange;
  assert.match(id, /^x_[\w-]+\.14$/);
  for (const other of [
    '',
    'x_',
    `${id}0`,
    id.replace('.14', '.15'),
    id.replace('.14', '.1.14'),
    'x_..',
    `x_${'a'.repeat(9999)}.1`,
  ]) {
    assert.equal(stage.correlator.exchange(other), undefined, other);
  }
});

test('the ordinals of a connection from before count from the start of the agent, and ids say which', () => {
  const seeded = { ...INBOUND, seeded: true };
  const stage = new Stage().batch((story) => story.seenSocket(1, seeded).answered(1, 'server'));
  assert.match(stage.exchange.id, /^x_[\w-]+\.[0-9a-z]+\.0$/);
  assert.equal(stage.correlator.exchange(stage.exchange.id), stage.exchange);
});

/** The server's requests come `each` ms, the client has sent the first of them before somebody looked. */
function lagging(story: Story, at: number, count: number): Story {
  for (let n = 0; n < count; n++) {
    const start = at + 10 * n;
    story.answered(2, 'server', { ordinal: n, target: `/${n}`, start: start + 1, end: start + 4 });
    if (n > 0) story.answered(1, 'client', { ordinal: n - 1, target: `/${n}`, start, end: start + 5 });
  }
  return story;
}

test('a client that was heard of one request too late is set right', () => {
  const stage = new Stage().batch((story) =>
    story
      .seen(10, 'curl')
      .seen(20, 'nginx')
      .seenSocket(1, { ...CLIENT, seeded: true })
      .seenSocket(2, { ...SERVER, seeded: true }),
  );
  const at = stage.nowMs;
  stage.batch((story) => lagging(story, at, 4));
  assert.deepEqual(
    stage.exchanges.map(
      ({ target, durationMs, serverTimeMs }) => `${target} ${String(durationMs)}/${String(serverTimeMs)}`,
    ),
    ['/0 3/3', '/1 5/3', '/2 5/3', '/3 5/3'],
  );
  assert.deepEqual(stage.exchanges.map(exchangeNotes), [['CLIENT_NOT_SEEN'], [], [], []]);
  assert.equal(stage.correlator.status().liveExchanges, 0);
});

test('whoever sends requests is the client, also when it was called', () => {
  const stage = new Stage().batch((story) => story.seen(20, 'agent').opened(1, { ...INBOUND, mover: 20 }));
  stage.batch((story) => story.answered(1, 'client', { pid: 20 }));
  assert.equal(stage.exchange.client?.name, 'agent');
  assert.equal(stage.exchange.server, null);
  assert.deepEqual(exchangeNotes(stage.exchange), ['SERVER_REMOTE']);
});

function lossOf(stage: Stage, place: string): number {
  return stage.correlator.status().losses.find((loss) => loss.place === place)?.count ?? -1;
}
