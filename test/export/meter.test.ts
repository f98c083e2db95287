import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Flow } from '../../src/correlate/index.js';
import { FlowMeter } from '../../src/export/meter.js';
import { FakeState, T0 } from '../api/fake-state.js';

const SECOND = 1_000_000;

interface Told {
  readonly reason: number;
  readonly from: number;
  readonly to: number;
  readonly sent: number;
  readonly received: number;
}

/** A meter of one flow: 10 s active, 3 s idle timeout. Times are seconds after T0. */
class Metering {
  readonly told: Told[] = [];
  readonly meter = new FlowMeter({ activeTimeoutMs: 10_000, idleTimeoutMs: 3000 }, (interval) =>
    this.told.push({
      reason: interval.reason,
      from: (interval.startMicros - T0) / SECOND,
      to: (interval.endMicros - T0) / SECOND,
      sent: interval.client.octets,
      received: interval.server.octets,
    }),
  );
  readonly flow: Flow;

  constructor() {
    this.flow = new FakeState().addFlow({ startMicros: T0, sent: 0, received: 0 });
    this.flow.lastMicros = T0;
    this.flow.client.octets = 0;
    this.flow.client.packets = 0;
    this.flow.server.octets = 0;
    this.flow.server.packets = 0;
    this.meter.take({ kind: 'flow', event: 'STARTED', flow: this.flow });
  }

  /** The flow has sent and received so much in all, the last of it at a time. */
  move(second: number, sent: number, received: number): void {
    const { flow } = this;
    flow.lastMicros = T0 + second * SECOND;
    flow.client.octets = sent;
    flow.client.packets = Math.ceil(sent / 100);
    flow.server.octets = received;
    flow.server.packets = Math.ceil(received / 100);
    this.meter.take({ kind: 'flow', event: 'UPDATED', flow });
  }

  at(second: number): Told[] {
    this.meter.tick(T0 + second * SECOND);
    return this.told.splice(0);
  }

  end(reason: Flow['endReason']): Told[] {
    this.flow.endReason = reason;
    this.flow.state = 'ENDED';
    this.meter.take({ kind: 'flow', event: 'ENDED', flow: this.flow });
    return this.told.splice(0);
  }
}

test('a flow that ends is one interval', () => {
  const metering = new Metering();
  metering.move(1, 500, 800);
  assert.deepEqual(metering.end('END_OF_FLOW'), [{ reason: 3, from: 0, to: 1, sent: 500, received: 800 }]);
  assert.equal(metering.meter.size, 0);
  assert.equal(metering.meter.watched, 0);
});

test('a long flow is told at the active timeout; deltas add up to the totals, intervals touch', () => {
  const metering = new Metering();
  const told: Told[] = [];
  for (let second = 1; second <= 35; second++) {
    metering.move(second, second * 1000, second * 10);
    told.push(...metering.at(second));
  }
  told.push(...metering.end('FORCED'));
  assert.deepEqual(
    told.map(({ reason }) => reason),
    [2, 2, 2, 4],
  );
  assert.equal(told[0]?.from, 0);
  for (const [i, { from }] of told.entries()) if (i > 0) assert.equal(from, told[i - 1]?.to);
  assert.equal(told.at(-1)?.to, 35);
  assert.equal(
    told.reduce((sum, { sent }) => sum + sent, 0),
    35_000,
  );
  assert.equal(
    told.reduce((sum, { received }) => sum + received, 0),
    350,
  );
});

test('a flow that falls silent is told once, and again when it moves on', () => {
  const metering = new Metering();
  metering.move(1, 100, 100);
  assert.deepEqual(metering.at(3), []);
  assert.deepEqual(metering.at(5), [{ reason: 1, from: 0, to: 1, sent: 100, received: 100 }]);
  assert.deepEqual(metering.at(100), []);
  metering.meter.take({ kind: 'flow', event: 'UPDATED', flow: metering.flow });
  assert.deepEqual(metering.at(200), []);
  metering.move(201, 150, 100);
  assert.deepEqual(metering.at(205), [{ reason: 1, from: 201, to: 201, sent: 50, received: 0 }]);
  assert.deepEqual(metering.end('END_OF_FLOW'), []);
});

test('what never had a packet is not told', () => {
  const metering = new Metering();
  assert.deepEqual(metering.at(60), []);
  assert.deepEqual(metering.end('ABORTED'), []);
});

test('a flow whose octets nobody counts is told by its times', () => {
  const metering = new Metering();
  const { client, server } = metering.flow;
  for (const end of [client, server]) {
    end.octets = null;
    end.packets = null;
    end.payloadBytes = null;
  }
  metering.flow.lastMicros = T0 + SECOND;
  const [told] = metering.end('IDLE');
  assert.deepEqual(told, { reason: 1, from: 0, to: 1, sent: NaN, received: NaN });
});

test('refused, reset and timed out are ends of a flow', () => {
  for (const reason of ['REFUSED', 'RESET', 'TIMED_OUT', 'UNREACHABLE', 'ABORTED'] as const) {
    const metering = new Metering();
    metering.move(1, 60, 40);
    assert.equal(metering.end(reason)[0]?.reason, 3);
  }
});

test('flows without IP are not metered', () => {
  const meter = new FlowMeter({ activeTimeoutMs: 1000, idleTimeoutMs: 1000 }, () => assert.fail());
  const flow = new FakeState().addFlow();
  Object.assign(flow, { ipVersion: null });
  meter.take({ kind: 'flow', event: 'STARTED', flow });
  assert.equal(meter.size, 0);
});
