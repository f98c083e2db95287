/** Tiers that are put off while the agent runs, and what is known of that time. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { exchangeNotes, noteCodes, type HostTier } from '../../src/correlate/index.js';
import { CAPTURE, Stage } from './dsl.js';

const CLIENT = { from: '127.0.0.1:5000', to: '127.0.0.1:80', opener: 10 };
const ACCEPTED = { from: '127.0.0.1:80', to: '127.0.0.1:5000', passive: true };
const SERVER = { ...ACCEPTED, mover: 20 };
const OUT = { from: '10.0.0.1:5001', to: '192.0.2.1:443', opener: 10 };
const BUDGET = {
  budgetPercent: 1,
  loadPercent: 0.5,
  calibration: 'MEASURED',
  calibrationReason: null,
  programs: [],
} as const;

function withGovernor(onTier: (tier: HostTier) => void = () => undefined): Stage {
  return new Stage({ capture: () => ({ ...CAPTURE, governor: BUDGET }), onTier }).batch((story) =>
    story.tier('packets', true).tier('messages', true).seen(10, 'curl').seen(20, 'nginx'),
  );
}

test('each change is told, and the times in which a tier was put off are remembered', () => {
  const told: string[] = [];
  const stage = withGovernor(({ name, state, reason }) => told.push(`${name} ${state} ${reason ?? '-'}`));
  const at = (): number => (1_700_000_000_000 + stage.nowMs) * 1000;
  const governor = () => stage.correlator.status().governor;
  assert.deepEqual(told, [], 'how it is at the start is no change');
  assert.deepEqual(governor(), { ...BUDGET, shedSinceMicros: null, shedSpans: [] });
  stage.batch((story) => story.tier('packets', false, 'too much'));
  const packetsFrom = at();
  stage.batch((story) => story.tier('packets', false, 'far too much').tier('messages', false, 'too much'));
  const messagesFrom = at();
  assert.equal(governor()?.shedSinceMicros, packetsFrom);
  stage.batch((story) => story.tier('messages', true));
  const messagesTo = at();
  stage.batch((story) => story.tier('packets', true));
  assert.deepEqual(governor()?.shedSpans, [
    { tier: 'packets', fromMicros: packetsFrom, toMicros: at() },
    { tier: 'messages', fromMicros: messagesFrom, toMicros: messagesTo },
  ]);
  assert.equal(governor()?.shedSinceMicros, null);
  assert.deepEqual(told, ['packets SHED too much', 'messages SHED too much', 'messages ON -', 'packets ON -']);
  for (let i = 0; i < 120; i++) stage.batch((story) => story.tier('packets', i % 2 === 1));
  assert.equal(governor()?.shedSpans.length, 62);
  for (let i = 0; i < 200; i++) stage.batch((story) => story.tier('packets', i % 2 === 1));
  assert.equal(governor()?.shedSpans.length, 100);
});

test('what was counted in part is not taken for all: payload is what the kernel counts, and nobody knows how many messages', () => {
  const stage = withGovernor();
  stage.batch((story) =>
    story
      .opened(1, { ...OUT, mover: 10 })
      .moved(1, 10, { sent: 100, received: 50 })
      .update(1, { ...OUT, mover: 10, sent: 100, received: 50 }),
  );
  const { sent } = stage.flow.client;
  assert.deepEqual([sent.payloadBytes, sent.messages], [100, 1]);
  stage.batch((story) => story.tier('messages', false, 'too much'));
  stage.batch((story) =>
    story
      .update(1, { ...OUT, mover: 10, counted: false, sent: 900, received: 450 })
      .moved(1, 10, { sent: 100, received: 50 }),
  );
  assert.deepEqual([sent.payloadBytes, sent.messages, stage.flow.server.sent.payloadBytes], [900, null, 450]);
  stage.batch((story) => story.tier('messages', true));
  stage.batch((story) =>
    story
      .update(1, { ...OUT, mover: 10, counted: false, sent: 1000, received: 500 })
      .moved(1, 10, { sent: 200, received: 100 }),
  );
  assert.deepEqual([sent.payloadBytes, sent.messages, stage.flow.server.sent.payloadBytes], [1000, null, 500]);
  const [share] = stage.flow.client.shares;
  assert.deepEqual([share?.sentPayloadBytes, share?.receivedPayloadBytes], [200, 100], 'what was seen of it');
  assert.ok(noteCodes(stage.flow.noteBits).includes('MESSAGES_TIER_SHED'));
});

test('a connection that opened meanwhile and is heard of later says so, too; its owner is whoever else is known', () => {
  const stage = withGovernor();
  stage.batch((story) => story.tier('messages', false, 'too much')).batch((story) => story.tier('messages', true));
  stage.batch((story) => story.ended(2, { ...ACCEPTED, closer: 20, counted: false, sent: 30, received: 7 }));
  assert.ok(noteCodes(stage.flow.noteBits).includes('MESSAGES_TIER_SHED'));
  assert.equal(stage.flow.server.process?.name, 'nginx');
  assert.equal(stage.flow.server.sent.payloadBytes, 30);
  stage.batch((story) => story.opened(3, OUT).moved(3, 10, { sent: 5 }));
  assert.ok(!noteCodes(stage.flows[1]?.noteBits ?? 0).includes('MESSAGES_TIER_SHED'), 'a later one is complete');
});

test('exchanges that the same batch brings to an end are whole, the others end unknown, with the reason', () => {
  const stage = withGovernor().batch((story) =>
    story
      .opened(1, CLIENT)
      .opened(2, SERVER)
      .asked(1, 'client', { pid: 10, ordinal: 0 })
      .asked(2, 'server', { pid: 20, ordinal: 0 })
      .asked(1, 'client', { pid: 10, ordinal: 1 }),
  );
  stage.batch((story) =>
    story
      .tier('messages', false, 'too much')
      .answered(1, 'client', { pid: 10, ordinal: 0 })
      .answered(2, 'server', { pid: 20, ordinal: 0 }),
  );
  assert.deepEqual(
    stage.exchanges.map((exchange) => [exchange.outcome, exchangeNotes(exchange).includes('MESSAGES_TIER_SHED')]),
    [
      ['ANSWERED', false],
      ['UNKNOWN', true],
    ],
  );
  // A program that was running as the tier was put off tells of one more.
  stage.batch((story) =>
    story.asked(2, 'server', { pid: 20, ordinal: 1, target: '/late' }).asked(2, 'server', { ordinal: 2 }),
  );
  assert.equal(stage.correlator.status().liveExchanges, 0);
  assert.equal(stage.exchanges[2]?.outcome, 'UNKNOWN');
});

test('both ends are followed again from the same ordinal; one that is a request behind is put right', () => {
  const AGAIN = 1 << 18;
  const stage = withGovernor().batch((story) => story.opened(1, CLIENT).opened(2, SERVER));
  stage.batch((story) => story.tier('messages', false, 'too much')).batch((story) => story.tier('messages', true));
  const start = stage.nowMs;
  // The server took a request that its client had sent before it was looked at again.
  stage.batch((story) =>
    story
      .asked(2, 'server', { pid: 20, ordinal: AGAIN, start, target: '/0' })
      .answered(2, 'server', { pid: 20, ordinal: AGAIN, start, end: start + 1, target: '/0' })
      .asked(1, 'client', { pid: 10, ordinal: AGAIN, start: start + 2, target: '/1' })
      .asked(2, 'server', { pid: 20, ordinal: AGAIN + 1, start: start + 3, target: '/1' })
      .answered(2, 'server', { pid: 20, ordinal: AGAIN + 1, start: start + 3, end: start + 5, target: '/1' })
      .answered(1, 'client', { pid: 10, ordinal: AGAIN, start: start + 2, end: start + 6, target: '/1' }),
  );
  stage.wait(5000);
  const seen = stage.exchanges.map(({ target, durationMs, serverTimeMs }) => [target, durationMs, serverTimeMs]);
  assert.deepEqual(seen, [
    ['/0', 1, 1],
    ['/1', 4, 2],
  ]);
  // The next time there is no lag.
  stage.batch((story) => story.tier('messages', false, 'too much')).batch((story) => story.tier('messages', true));
  const later = stage.nowMs;
  stage.batch((story) =>
    story
      .asked(1, 'client', { pid: 10, ordinal: 2 * AGAIN, start: later, target: '/2' })
      .asked(2, 'server', { pid: 20, ordinal: 2 * AGAIN, start: later + 1, target: '/2' })
      .answered(2, 'server', { pid: 20, ordinal: 2 * AGAIN, start: later + 1, end: later + 2, target: '/2' })
      .answered(1, 'client', { pid: 10, ordinal: 2 * AGAIN, start: later, end: later + 4, target: '/2' }),
  );
  const last = stage.exchanges.at(-1);
  assert.deepEqual([last?.target, last?.durationMs, last?.serverTimeMs, last?.ordinal], ['/2', 4, 1, 2 * AGAIN]);
});
