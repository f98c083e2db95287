import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProcessShare, type Flow } from '../../../src/correlate/model.js';
import { FLOW_FIELDS } from '../../../src/api/query/index.js';
import { compileFilter, type FilterInput } from '../../../src/api/query/filter.js';
import { FakeState, T0 } from '../fake-state.js';

const state = new FakeState();
const master = state.addProcess({ name: 'nginx', executable: '/usr/sbin/nginx', uid: 0 });
const worker = state.addProcess({ name: 'nginx', executable: '/usr/sbin/nginx', uid: 33, parent: master });
const curl = state.addProcess({ name: 'curl', args: ['curl', '-s', "it's a test"], uid: 1000 });
const odd = state.addProcess({ name: 'MainThread', executable: '/opt/app/bin/node', uid: 4242, args: null });
curl.container = { id: 'abc123', runtime: 'docker', podUid: null };
worker.unit = 'nginx.service';
const local = state.addFlow({ client: curl, server: worker, serverPort: 8080, sent: 10, received: 5000 });
const out = state.addFlow({ client: odd, serverAddress: '93.184.216.34', serverPort: 443, endMicros: T0 + 9e6 });
const refused = state.addFlow({ client: curl, serverAddress: '2001:db8::1', serverPort: 81 });
refused.endReason = 'REFUSED';
refused.client.sent.octets = null;
refused.server.sent.octets = null;
refused.noteBits = 1 << 8;
const all = [local, out, refused];

function found(where: FilterInput | null, except: FilterInput | null = null): Flow[] {
  const context = { names: state, nowMicros: state.now, mayReadCommandLines: true };
  const { test } = compileFilter(FLOW_FIELDS, where, except, context);
  return all.filter(test);
}

test('each field finds what it should', () => {
  const cases: readonly [FilterInput, Flow[]][] = [
    [{ process: { eq: 'curl' } }, [local, refused]],
    [{ process: { eq: 'nginx' } }, [local]],
    // The name of a thread says little: the last part of the executable counts too.
    [{ process: { eq: 'node' } }, [out]],
    [{ process: { prefix: 'no' } }, [out]],
    [{ process: { contains: 'bin' } }, []],
    [{ process: { in: ['node', 'nginx'] } }, [local, out]],
    [{ process: { eq: 'CURL' } }, []],
    [{ executable: { eq: '/usr/sbin/nginx' } }, [local]],
    [{ executable: { contains: '/app/' } }, [out]],
    [{ commandLine: { contains: "-s it's a test" } }, [local, refused]],
    [{ user: { eq: 'www-data' } }, [local]],
    [{ user: { eq: '4242' } }, [out]],
    [{ uid: { in: [0, 33] } }, [local]],
    [{ pid: { eq: curl.pid } }, [local, refused]],
    [{ container: { prefix: 'abc' } }, [local, refused]],
    [{ unit: { eq: 'nginx.service' } }, [local]],
    [{ address: { in: ['93.0.0.0/8', '2001:db8::/32'] } }, [out, refused]],
    [{ clientAddress: { in: ['127.0.0.1'] } }, all],
    [{ serverAddress: { in: ['127.0.0.1'] } }, [local]],
    [{ port: { eq: 8080 } }, [local]],
    [{ serverPort: { gte: 81, lte: 443 } }, [out, refused]],
    [{ clientPort: { lte: 100 } }, []],
    [{ protocol: ['TCP'] }, all],
    [{ protocol: [] }, []],
    [{ direction: ['LOCAL'] }, [local]],
    [{ state: ['ENDED'] }, [out]],
    [{ endReason: ['REFUSED', 'RESET'] }, [refused]],
    [{ note: ['OCTETS_UNKNOWN'] }, [refused]],
    [{ octets: { gte: 5000 } }, [local]],
    // Unknown is not 0.
    [{ octets: { lte: 1e9 } }, [local, out]],
    [{ not: { octets: { gte: 0 } } }, [refused]],
    [{ durationMs: { gte: 1000 } }, [out]],
    [{ startTime: { gte: { agoMicros: 61e6 } } }, all],
    [{ endTime: { lte: T0 + 10e6 } }, [out]],
    [{ startedBefore: false }, all],
    [{ startedBefore: true }, []],
  ];
  for (const [where, expected] of cases) assert.deepEqual(found(where), expected, JSON.stringify(where));
});

test('fields are joined by and; and, or, not nest', () => {
  assert.deepEqual(found({ process: { eq: 'curl' }, port: { eq: 81 } }), [refused]);
  assert.deepEqual(found({ or: [{ port: { eq: 81 } }, { port: { eq: 443 } }] }), [out, refused]);
  assert.deepEqual(found({ and: [{ process: { eq: 'curl' } }, { not: { direction: ['LOCAL'] } }] }), [refused]);
  assert.deepEqual(found({ process: { eq: 'curl' } }, { direction: ['LOCAL'] }), [refused]);
  assert.deepEqual(found({ not: { or: [{ port: { eq: 81 } }, { not: { port: { eq: 443 } } }] } }), [out]);
});

test('each field may be satisfied by its own end', () => {
  assert.deepEqual(found({ process: { eq: 'curl' }, user: { eq: 'www-data' } }), [local]);
});

test('what sets no condition keeps everything, and as an exception leaves nothing out', () => {
  for (const open of [
    null,
    {},
    { process: {} },
    { process: { eq: null } },
    { and: [] },
    { not: {} },
    { or: [{}, { port: { eq: 1 } }] },
  ]) {
    assert.deepEqual(found(open), all, JSON.stringify(open));
    assert.deepEqual(found(null, open), all, JSON.stringify(open));
  }
  assert.deepEqual(found({ or: [] }), []);
});

test('every process that moved bytes and the creator count, also when another did last', () => {
  const flow = state.addFlow({ client: curl, server: worker });
  const helper = state.addProcess({ name: 'helper' });
  flow.server.shares = [...flow.server.shares, Object.assign(new ProcessShare(helper), { sentMessages: 1 })];
  flow.server.creator = master;
  const context = { names: state, nowMicros: state.now, mayReadCommandLines: true };
  for (const where of [{ process: { eq: 'helper' } }, { pid: { eq: master.pid } }, { user: { eq: 'root' } }]) {
    assert.ok(compileFilter(FLOW_FIELDS, where, null, context).test(flow), JSON.stringify(where));
  }
});

test('a filter on command lines needs its scope', () => {
  const context = { names: state, nowMicros: 0, mayReadCommandLines: false };
  const compile = () => compileFilter(FLOW_FIELDS, { not: { commandLine: { contains: 'x' } } }, null, context);
  assert.throws(compile, { code: 'FORBIDDEN', message: /cmdline:read/ });
});

test('bad values, unknown fields and monstrous filters are refused with the reason', () => {
  assert.throws(() => found({ address: { in: ['10.0.0.0/40'] } }), { code: 'INVALID_ARGUMENT', message: /^address: / });
  assert.throws(() => found({ procss: { eq: 'x' } }), { code: 'UNKNOWN_PARAMETER', message: /did you mean "process"/ });
  let deep: FilterInput = { port: { eq: 1 } };
  for (let i = 0; i < 100; i++) deep = { not: deep };
  assert.throws(() => found(deep), { code: 'QUERY_TOO_DEEP' });
  const wide = { or: Array.from({ length: 1000 }, (_, i) => ({ port: { eq: i } })) };
  assert.throws(() => found(wide), { code: 'QUERY_TOO_COMPLEX' });
});

test('whether a filter looks at what is learnt late is known', () => {
  const context = { names: state, nowMicros: 0, mayReadCommandLines: true };
  assert.equal(
    compileFilter(FLOW_FIELDS, { or: [{ port: { eq: 1 } }, { user: { eq: 'x' } }] }, null, context).isLate,
    true,
  );
  assert.equal(compileFilter(FLOW_FIELDS, { port: { eq: 1 } }, null, context).isLate, false);
  assert.equal(compileFilter(FLOW_FIELDS, null, null, context).isOpen, true);
});
