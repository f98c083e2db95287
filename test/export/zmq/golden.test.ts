/** The octets of each kind of message, written out: whoever changes them changes what ntopng reads. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Batch } from '../../../src/export/zmq/batch.js';
import { eventDocument, listeningPortsDocument, templateDocument } from '../../../src/export/zmq/documents.js';
import { encodeHeader, type HeaderVersion, type PayloadKind, type Topic } from '../../../src/export/zmq/header.js';
import { JsonPayload } from '../../../src/export/zmq/json.js';
import type { Payload } from '../../../src/export/zmq/payload.js';
import { TlvPayload } from '../../../src/export/zmq/tlv.js';
import { NUMBER } from '../../../src/export/record.js';
import { parseSpecification } from '../../../src/export/specification.js';
import type { Field } from '../../../src/export/template.js';
import { sampleRecord, T0_MS } from '../stage.js';

const TEMPLATE =
  '%IPV4_SRC_ADDR %L4_SRC_PORT %IN_BYTES %OUT_BYTES %FIRST_SWITCHED %CLIENT_NW_LATENCY_MS %SRC_PROC_PID %SRC_PROC_NAME';

function fieldsOf(template: string): Field[] {
  return parseSpecification(template).items.map(({ element }) => ({ element, length: element.length }));
}

/** Two flows: one over 4 GiB with a latency, one whose process is not known. */
function payload(make: (fields: readonly Field[]) => Payload, count = 2): Buffer {
  const batch = new Batch({ payload: make(fieldsOf(TEMPLATE)), limit: 8000, mostRecords: Infinity });
  const first = sampleRecord(({ numbers }) => {
    numbers[NUMBER.octets] = 5_000_000_000;
    numbers[NUMBER.reverseOctets] = 200;
    numbers[NUMBER.clientLatencyMs] = 1.25;
  });
  const second = sampleRecord(({ numbers, texts }) => {
    numbers.fill(NaN, NUMBER.source);
    texts.fill(null, 19);
  });
  for (const record of [first, second].slice(0, count)) assert.ok(batch.append(record, T0_MS));
  return Buffer.from(batch.seal().payload);
}

/** Hexadecimal without spaces, line ends and comments. */
function hex(text: string): string {
  return text.replace(/#.*$/gm, '').replace(/\s+/g, '');
}

function latin1(text: string): string {
  return Buffer.from(text, 'latin1').toString('hex');
}

function headerOf(version: HeaderVersion, topic: Topic, kind: PayloadKind): string {
  return encodeHeader(version, { topic, kind, length: 0x1234, messageId: 0x0a0b0c0d, sourceId: 0x01020304 }).toString(
    'hex',
  );
}

describe('header', () => {
  const flow16 = `${latin1('flow')}${'00'.repeat(12)}`;
  const ports16 = `${latin1('listening-ports')}00`;

  test('version 0, 40 octets', () => {
    assert.equal(headerOf(0, 'flow', 'JSON'), hex(`${flow16} ${'00'.repeat(16)} 00000000 34120000`));
    assert.equal(headerOf(0, 'listening-ports', 'JSON'), hex(`${ports16} ${'00'.repeat(16)} 00000000 34120000`));
  });

  test('version 1, 24 octets: the source id is one of them', () => {
    assert.equal(headerOf(1, 'flow', 'JSON'), hex(`${flow16} 02 04 1234 0a0b0c0d`));
    assert.equal(headerOf(1, 'flow', 'TLV'), hex(`${flow16} 03 04 1234 0a0b0c0d`));
  });

  test('version 2, 28 octets', () => {
    assert.equal(headerOf(2, 'flow', 'JSON'), hex(`${flow16} 02 00 1234 0a0b0c0d 04030201`));
    assert.equal(headerOf(2, 'flow', 'TLV'), hex(`${flow16} 03 00 1234 0a0b0c0d 04030201`));
    assert.equal(
      headerOf(2, 'event', 'JSON'),
      hex(`${latin1('event')}${'00'.repeat(11)} 02 00 1234 0a0b0c0d 04030201`),
    );
  });

  test('version 3, 36 octets', () => {
    assert.equal(headerOf(3, 'flow', 'JSON'), hex(`${flow16} 04 00 0000 34120000 34120000 0a0b0c0d 04030201`));
    assert.equal(headerOf(3, 'flow', 'TLV'), hex(`${flow16} 04 02 0000 34120000 34120000 0a0b0c0d 04030201`));
  });
});

describe('flows', () => {
  test('TLV', () => {
    assert.equal(
      payload((fields) => new TlvPayload(fields)).toString('hex'),
      hex(`
        0101                                       # version, format
        2b 08 0008 ${latin1('10.0.0.1')}           # IPV4_SRC_ADDR: u8 key, text
        23 07 b670                                 # L4_SRC_PORT: u8 key, u16
        25 01 000000012a05f200                     # IN_BYTES: u64
        22 17 c8                                   # OUT_BYTES: u8
        24 16 6b03fc9b                             # FIRST_SWITCHED: u32, seconds
        3a e0fb 0000a03f                           # CLIENT_NW_LATENCY_MS: u16 key, float, little endian
        33 e128 1092                               # SRC_PROC_PID
        3b e129 0004 ${latin1('curl')}             # SRC_PROC_NAME
        01                                         # end of record
        2b 08 0008 ${latin1('10.0.0.1')}
        23 07 b670
        23 01 01f1
        24 16 6b03fc9b
        01
      `),
    );
  });

  test('JSON with numbers as keys', () => {
    assert.equal(
      payload((fields) => new JsonPayload(fields, { keys: 'NUMBERS', isArray: true })).toString('utf8'),
      '[{"8":"10.0.0.1","7":46704,"1":5000000000,"23":200,"22":1795423387,"57595":1.25,"57640":4242,"57641":"curl"},' +
        '{"8":"10.0.0.1","7":46704,"1":497,"22":1795423387}]',
    );
  });

  test('JSON with names as keys', () => {
    assert.equal(
      payload((fields) => new JsonPayload(fields, { keys: 'NAMES', isArray: true }), 1).toString('utf8'),
      '[{"IPV4_SRC_ADDR":"10.0.0.1","L4_SRC_PORT":46704,"IN_BYTES":5000000000,"OUT_BYTES":200,' +
        '"FIRST_SWITCHED":1795423387,"CLIENT_NW_LATENCY_MS":1.25,"SRC_PROC_PID":4242,"SRC_PROC_NAME":"curl"}]',
    );
  });

  test('one JSON object alone, for ntopng 2.0', () => {
    assert.equal(
      payload((fields) => new JsonPayload(fields, { keys: 'NUMBERS', isArray: false }), 1).toString('utf8'),
      '{"8":"10.0.0.1","7":46704,"1":5000000000,"23":200,"22":1795423387,"57595":1.25,"57640":4242,"57641":"curl"}',
    );
  });
});

test('an event', () => {
  const probe = {
    ...{ hostName: 'web', hostId: '0123456789abcdef0123456789abcdef0123456789', sourceId: 7, version: '1.2.3' },
    ...{ interfaceName: 'eth0', speedMbits: 1000, address: '10.0.0.10', activeSeconds: 120, idleSeconds: 30 },
  };
  const totals = {
    ...{ timeMs: T0_MS, octets: 5_000_000_000, packets: 10, bitsPerSecond: 100, packetsPerSecond: 2 },
    ...{ sentRecords: 4, notSentRecords: 3 },
  };
  assert.equal(
    eventDocument(probe, totals),
    '{"iface":{"name":"eth0","speed":1000,"ip":"10.0.0.10"},' +
      '"probe":{"public_ip":"","ip":"10.0.0.10","version":"1.2.3","osname":"Linux","license":"","edition":"",' +
      '"maintenance":"","uuid":"0123456789abcdef0123456789abcdef0123","unique_source_id":7},' +
      '"time":1795423389,"bytes":5000000000,"packets":10,"packet_drops":0,"avg":{"bps":100,"pps":2},' +
      '"timeout":{"lifetime":120,"idle":30,"collected_lifetime":120},' +
      '"drops":{"export_queue_full":3,"too_many_flows":0,"elk_flow_drops":0,"sflow_pkt_sample_drops":0,' +
      '"flow_collection_drops":0,"flow_collection_udp_socket_drops":0},' +
      '"zmq":{"num_flow_exports":4,"num_exporters":1,"num_zmq_exporters":1},"mode":"packets"}',
  );
});

test('a template', () => {
  assert.equal(
    templateDocument(fieldsOf('%IN_BYTES %IPV4_SRC_ADDR %SRC_PROC_NAME')),
    '[{"PEN":0,"field":1,"len":8,"format":"formatted_uint","name":"IN_BYTES",' +
      '"descr":"IP octets of the interval, headers included."},' +
      '{"PEN":0,"field":8,"len":4,"format":"ipv4_address","name":"IPV4_SRC_ADDR","descr":"IPv4 address of the source."},' +
      '{"PEN":0,"field":27,"len":16,"format":"ipv6_address","name":"IPV6_SRC_ADDR","descr":"IPv6 address of the source."},' +
      '{"PEN":35632,"field":169,"len":16,"format":"ascii","name":"SRC_PROC_NAME",' +
      '"descr":"Name of the process at the source."}]',
  );
});

test('listening ports: each has its process, though it be empty', () => {
  assert.equal(
    listeningPortsDocument(
      'web',
      ['10.0.0.10'],
      [
        { protocol: 'tcp', ipVersion: 4, port: 80, process: '/usr/sbin/nginx' },
        { protocol: 'tcp', ipVersion: 4, port: 81, process: null },
        { protocol: 'udp', ipVersion: 6, port: 53, process: 'named' },
      ],
    ),
    '{"instance-name":"web","ip-addresses":["10.0.0.10"],"listening-ports":{' +
      '"tcp4":[{"port":80,"proc":"/usr/sbin/nginx","pkg":""},{"port":81,"proc":"","pkg":""}],"udp4":[],' +
      '"tcp6":[],"udp6":[{"port":53,"proc":"named","pkg":""}]}}',
  );
});
