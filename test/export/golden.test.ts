/** The octets of each kind of message, written out: whoever changes them changes what collectors read. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryTransport } from './memory-transport.js';
import { sampleRecord, Stage } from './stage.js';

const TEMPLATE = '%IPV4_SRC_ADDR %IPV4_DST_ADDR %IN_BYTES %FIRST_SWITCHED %SRC_PROC_PID %SRC_PROC_NAME';

/** What a session sends first, two records, and statistics after one more that could not be sent. */
function messages(version: 9 | 10): string[] {
  const stage = new Stage({ version, template: TEMPLATE, transport: new MemoryTransport(true, 1472) });
  stage.session.up();
  stage.session.take(sampleRecord());
  stage.session.take(sampleRecord());
  stage.after(500);
  stage.transport.isReady = false;
  stage.session.take(sampleRecord());
  stage.transport.isReady = true;
  stage.after(60_000);
  return stage.transport.messages.map((message) => message.toString('hex'));
}

/** Hexadecimal without spaces, line ends and comments. */
function hex(text: string): string {
  return text.replace(/#.*$/gm, '').replace(/\s+/g, '');
}

function latin1(text: string): string {
  return Buffer.from(text, 'latin1').toString('hex');
}

test('IPFIX: options templates of the exporting process, in domain 0', () => {
  assert.equal(
    messages(10)[0],
    hex(`
      000a 00a4 6b03fc9d 00000000 00000000                            # version, length, time, sequence, domain
      0003 002e 0100 0009 0002                                        # options template 256: 9 fields, 2 of scope
        015a 0004 012f 0002                                           # privateEnterpriseNumber, informationElementId
        0153 0001 0158 0001 0159 0002 0156 0008 0157 0008             # type, semantics, units, range
        0155 ffff 0154 ffff                                           # name, description
      0003 001e 0101 0005 0002                                        # 257: metering process statistics
        0095 0004 008f 0004 0029 0008 002a 0008 0028 0008
      0003 0022 0102 0006 0001                                        # 258: exporting process reliability
        0090 0004 00a6 0008 00a7 0008 00a8 0008 0143 0008 0143 0008
      0003 0026 0104 0007 0002                                        # 260: settings of metering
        0095 0004 008f 0004 0024 0002 0025 0002 0130 0002 0131 0004 0132 0004
    `),
  );
});

test('IPFIX: options templates of the domain of the flows, type records, settings of metering', () => {
  assert.equal(
    messages(10)[1],
    hex(`
      000a 012f 6b03fc9d 00000000 00000007
      0003 002e 0100 0009 0002
        015a 0004 012f 0002
        0153 0001 0158 0001 0159 0002 0156 0008 0157 0008
        0155 ffff 0154 ffff
      0003 0012 0103 0002 0001 0091 0002 00ad 0008                    # 259: flow keys
      0003 0026 0104 0007 0002
        0095 0004 008f 0004 0024 0002 0025 0002 0130 0002 0131 0004 0132 0004
      0100 009f                                                       # type records
        00008b30 00a8 03 04 0000 0000000000000000 00000000ffffffff
        0c ${latin1('SRC_PROC_PID')} 28 ${latin1('Process id of the process at the source.')}
        00008b30 00a9 0d 00 0000 0000000000000000 0000000000000000
        0d ${latin1('SRC_PROC_NAME')} 22 ${latin1('Name of the process at the source.')}
      0104 001a 00000007 00000001 0078 001e 0001 00000001 00000000    # timeouts; of 1 packet, 1 is counted
    `),
  );
});

test('IPFIX: template, flow keys and data', () => {
  assert.equal(
    messages(10)[2],
    hex(`
      000a 008c 6b03fc9d 00000003 00000007                            # three data records went before
      0002 0028 0105 0006                                             # template 261
        0008 0004 000c 0004 0001 0008 0098 0008
        80a8 0004 00008b30 80a9 ffff 00008b30
      0103 000e 0105 0000000000000003                                 # the first two fields are keys
      0105 0046
        0a000001 c00002c8 00000000000001f1 000001a20792bdb8 00001092 04 6375726c
        0a000001 c00002c8 00000000000001f1 000001a20792bdb8 00001092 04 6375726c
    `),
  );
});

test('IPFIX: statistics, and what was not sent', () => {
  assert.equal(
    messages(10)[3],
    hex(`
      000a 0064 6b03fcd9 00000000 00000000
      0101 0024 00000007 00000001 0000000000000003 0000000000000002 000000000000025f
      0102 0030 00000001 0000000000000001 0000000000000008 00000000000001f1 000001a20792c77c 000001a20792c77c
    `),
  );
});

test('NetFlow v9: options templates, and settings of metering', () => {
  assert.equal(
    messages(9)[0],
    hex(`
      0009 0003 0036ee80 6b03fc9d 00000000 00000007                   # version, count, uptime, time, sequence, source
      0001 0028 0101 0004 0018                                        # options template 257: 4 octets of scope, 24 of fields
        0001 0004                                                     # the system
        0029 0008 002a 0008 0028 0008 00a6 0008 00a7 0008 00a8 0008
        0000                                                          # padding
      0001 0020 0102 0004 0010                                        # 258: settings of metering
        0001 0004
        0024 0002 0025 0002 0022 0004 0023 0001
        0000
      0102 0014 00000007 0078 001e 00000001 01                        # timeouts; one of one packet, deterministic
        000000
    `),
  );
});

test('NetFlow v9: template and data', () => {
  assert.equal(
    messages(9)[1],
    hex(`
      0009 0003 0036f074 6b03fc9d 00000001 00000007
      0000 0024 0105 0007
        0008 0004 000c 0004 0001 0008 0016 0004 e128 0004 e129 0010 003c 0001
      0105 0058
        0a000001 c00002c8 00000000000001f1 0036e6b0 00001092 6375726c000000000000000000000000 04
        0a000001 c00002c8 00000000000001f1 0036e6b0 00001092 6375726c000000000000000000000000 04
        0000                                                          # padding
    `),
  );
});

test('NetFlow v9: statistics', () => {
  assert.equal(
    messages(9)[2],
    hex(`
      0009 0001 0037dad4 6b03fcd9 00000002 00000007
      0101 0038 00000007 0000000000000002 0000000000000002 0000000000000100
        0000000000000001 0000000000000008 00000000000001f1
    `),
  );
});
