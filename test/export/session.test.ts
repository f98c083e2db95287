import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NUMBER, TEXT, END_TEXT } from '../../src/export/record.js';
import { Decoder, type DecodedMessage } from './decoder.js';
import { MemoryTransport } from './memory-transport.js';
import { BOOT_MS, sampleRecord, Stage, T0_MS, withoutEnd } from './stage.js';

const SAMPLE = {
  sourceIPv4Address: '10.0.0.1',
  destinationIPv4Address: '192.0.2.200',
  sourceTransportPort: 46_704,
  destinationTransportPort: 80,
  protocolIdentifier: 6,
  ipVersion: 4,
  octetDeltaCount: 497,
  packetDeltaCount: 8,
  tcpControlBits: 0x1b,
  flowEndReason: 3,
  flowDirection: 1,
  L7_PROTO: 7,
  SRC_PROC_PID: 4242,
  SRC_PROC_NAME: 'curl',
  SRC_PROC_USER_NAME: 'ada',
  SRC_FATHER_PROC_PID: 1,
  SRC_FATHER_PROC_NAME: 'bash',
  SRC_PROC_ACTUAL_MEMORY: 1_048_576,
  SRC_PROC_PEAK_MEMORY: 2_097_152,
  SRC_PROC_AVERAGE_CPU_LOAD: 1250,
  SRC_PROC_NUM_PAGE_FAULTS: 99,
  SRC_PROC_PCTG_IOWAIT: 10,
  DST_PROC_PID: 4019,
  DST_PROC_NAME: 'nginx',
  DST_PROC_USER_NAME: 'www-data',
  DST_FATHER_PROC_PID: 812,
  DST_FATHER_PROC_NAME: 'systemd',
  DST_PROC_ACTUAL_MEMORY: 1_048_576,
  DST_PROC_PEAK_MEMORY: 2_097_152,
  DST_PROC_AVERAGE_CPU_LOAD: 1250,
  DST_PROC_NUM_PAGE_FAULTS: 99,
  DST_PROC_PCTG_IOWAIT: 10,
};

function started(options: ConstructorParameters<typeof Stage>[0] = {}): Stage {
  const stage = new Stage(options);
  stage.session.up();
  return stage;
}

test('an IPFIX record of the default template has all 34 elements', () => {
  const stage = started();
  stage.session.take(sampleRecord());
  const [record] = stage.flowRecords();
  assert.deepEqual(record?.values, {
    ...SAMPLE,
    flowStartMilliseconds: T0_MS - 2000,
    flowEndMilliseconds: T0_MS - 1000,
  });
  assert.equal(record.template.fields.length, 34);
  assert.equal(stage.decoder.gaps, 0);
});

test('a NetFlow v9 record has the same, with times since boot', () => {
  const stage = started({ version: 9 });
  stage.session.take(sampleRecord());
  const [record] = stage.flowRecords();
  assert.deepEqual(record?.values, {
    ...SAMPLE,
    flowStartSysUpTime: T0_MS - 2000 - BOOT_MS,
    flowEndSysUpTime: T0_MS - 1000 - BOOT_MS,
  });
});

test('what is not known is left out by another template', () => {
  const stage = started();
  stage.session.take(sampleRecord());
  stage.session.take(sampleRecord((record) => withoutEnd(record, 'destination')));
  stage.session.take(sampleRecord((record) => (record.numbers[NUMBER.octets] = NaN)));
  stage.session.take(sampleRecord((record) => withoutEnd(record, 'destination')));
  const records = stage.flowRecords();
  assert.deepEqual(
    records.map(({ template }) => template.fields.length),
    [34, 24, 33, 24],
  );
  assert.ok(records[1] !== undefined && !('DST_PROC_PID' in records[1].values));
  assert.equal(records[1].template.id, records[3]?.template.id);
});

test('type records come before the first template that needs them, and all options have templates', () => {
  const stage = started();
  stage.session.take(sampleRecord());
  stage.after(500);
  const messages = stage.messages();
  const names: string[] = [];
  for (const { templates, records } of messages) {
    for (const { isOptions } of templates) if (!isOptions) names.push('template');
    for (const { values } of records) names.push(String(values['informationElementName'] ?? '-'));
  }
  const types = names.slice(0, names.indexOf('template')).filter((name) => name !== '-');
  assert.equal(types.length, 21);
  assert.ok(types.includes('SRC_PROC_PID') && types.includes('L7_PROTO'));
  const pid = messages
    .flatMap(({ records }) => records)
    .find(({ values }) => values['informationElementName'] === 'SRC_PROC_PID');
  assert.deepEqual(pid?.values, {
    privateEnterpriseNumber: 35632,
    informationElementId: 168,
    informationElementDataType: 3,
    informationElementSemantics: 4,
    informationElementUnits: 0,
    informationElementRangeBegin: 0,
    informationElementRangeEnd: 0xffff_ffff,
    informationElementName: 'SRC_PROC_PID',
    informationElementDescription: 'Process id of the process at the source.',
  });
});

function templateMessages(messages: readonly DecodedMessage[]): boolean[] {
  return messages.map(({ templates }) => templates.some(({ isOptions }) => !isOptions));
}

test('over UDP a new template is sent three times in messages of their own', () => {
  const stage = started();
  stage.messages();
  stage.session.take(sampleRecord());
  stage.after(500);
  const messages = stage.messages();
  assert.deepEqual(templateMessages(messages), [true, true, true]);
  const last = messages.at(-1);
  assert.equal(last?.records.filter(({ template }) => !template.isOptions).length, 1);
});

test('over a connection a template is sent once', () => {
  const stage = started({ transport: new MemoryTransport(true, 16_384) });
  stage.messages();
  stage.session.take(sampleRecord());
  stage.session.take(sampleRecord());
  stage.after(500);
  const messages = stage.messages();
  assert.deepEqual(templateMessages(messages), [true]);
  for (let i = 0; i < 400; i++) stage.session.take(sampleRecord());
  stage.after(700_000);
  assert.ok(!templateMessages(stage.messages()).includes(true));
});

test('templates are refreshed by packets with data, and by time', () => {
  const stage = started({ templateRefreshMs: 5000, templateRefreshPackets: 3 });
  stage.session.take(sampleRecord());
  stage.after(500);
  stage.messages();
  const packets: boolean[] = [];
  for (let i = 0; i < 9; i++) {
    stage.session.take(sampleRecord());
    stage.after(500);
    packets.push(...templateMessages(stage.messages().filter(({ domain }) => domain !== 0)));
  }
  // The first went with the packet that has the templates.
  assert.deepEqual(packets.slice(0, 6), [false, false, true, false, false, true]);
  stage.after(5000);
  assert.ok(templateMessages(stage.messages()).includes(true));
});

/** Options records of a message by an element of theirs. */
function optionsWith(messages: readonly DecodedMessage[], name: string): number {
  return messages.flatMap(({ records }) => records).filter(({ values }) => name in values).length;
}

test('what a collector that came late must know is told again with the templates', () => {
  for (const version of [9, 10] as const) {
    const stage = started({ version, templateRefreshPackets: 3, template: '%IN_BYTES %SRC_PROC_PID' });
    const all: DecodedMessage[] = [];
    for (let i = 0; i < 8; i++) {
      stage.session.take(sampleRecord());
      stage.after(5000);
      all.push(...stage.messages());
    }
    // At first, and after three and six packets.
    assert.equal(optionsWith(all, 'flowActiveTimeout'), 3);
    assert.equal(optionsWith(all, 'informationElementName'), version === 10 ? 3 : 0);
    const settings = all.flatMap(({ records }) => records).find(({ values }) => 'flowIdleTimeout' in values)?.values;
    const sampling =
      version === 10
        ? { observationDomainId: 7, selectorAlgorithm: 1, samplingPacketInterval: 1, samplingPacketSpace: 0 }
        : { samplingInterval: 1, samplingAlgorithm: 1 };
    const scope = version === 10 ? 1 : 7;
    assert.deepEqual(settings, { meteringProcessId: scope, flowActiveTimeout: 120, flowIdleTimeout: 30, ...sampling });
    assert.equal(stage.decoder.gaps, 0);
  }
});

test('a template that comes when a refresh is due does not put it off', () => {
  const stage = started({ templateRefreshPackets: 2, template: '%IN_BYTES %PROTOCOL' });
  for (let i = 0; i < 3; i++) {
    stage.session.take(sampleRecord());
    stage.after(500);
  }
  stage.messages();
  stage.session.take(sampleRecord());
  stage.after(500);
  stage.session.take(sampleRecord((record) => (record.numbers[NUMBER.protocol] = NaN)));
  stage.after(500);
  const templates = stage.messages().flatMap((message) => message.templates.filter(({ isOptions }) => !isOptions));
  assert.ok(templates.some(({ fields }) => fields.length === 2));
});

test('when the clock is set, templates are sent three times, and nothing waits for the time that was', () => {
  for (const [stepMs, version] of [
    [-3_600_000, 9],
    [-3_600_000, 10],
    [3_600_000, 10],
  ] as const) {
    const stage = started({ version, template: '%IN_BYTES' });
    stage.session.take(sampleRecord());
    stage.after(500);
    stage.session.take(sampleRecord());
    stage.messages();
    stage.after(stepMs);
    const messages = stage.messages();
    const templates = messages.flatMap((message) => message.templates);
    for (const wanted of [257, 261]) assert.equal(templates.filter(({ id }) => id === wanted).length, 3);
    assert.ok(messages.some(({ records }) => records.some(({ template }) => !template.isOptions)));
    stage.after(60_000);
    assert.equal(optionsWith(stage.messages(), 'exportedMessageTotalCount'), 1);
  }
});

test('a collector that does not read is told of statistics when it does', () => {
  const stage = started({ transport: new MemoryTransport(true, 16_384) });
  stage.messages();
  stage.transport.isReady = false;
  for (let i = 0; i < 10; i++) {
    stage.session.take(sampleRecord());
    stage.after(60_000);
  }
  assert.equal(stage.messages().length, 0);
  stage.transport.isReady = true;
  stage.after(250);
  const messages = stage.messages();
  assert.equal(optionsWith(messages, 'exportedMessageTotalCount'), 1);
  assert.equal(optionsWith(messages, 'notSentFlowTotalCount'), 1);
});

test('statistics tell what was sent before them, and nothing of themselves', () => {
  for (const version of [9, 10] as const) {
    const stage = started({ version });
    for (let i = 0; i < 25; i++) stage.session.take(sampleRecord());
    stage.after(60_000);
    const messages = stage.messages();
    const at = messages.findIndex(({ records }) => records.some(({ values }) => 'exportedMessageTotalCount' in values));
    const before = messages.slice(0, at);
    const values = messages[at]?.records.find((record) => 'exportedMessageTotalCount' in record.values)?.values ?? {};
    assert.equal(values['exportedMessageTotalCount'], before.length);
    assert.equal(
      values['exportedOctetTotalCount'],
      before.reduce((sum, { length }) => sum + length, 0),
    );
    assert.equal(values['exportedFlowRecordTotalCount'], 25);
    assert.equal(messages[at]?.records.length, 1);
  }
});

test('what a slow collector cost is counted, and told when it is back', () => {
  const stage = started();
  stage.transport.isReady = false;
  stage.session.take(sampleRecord());
  stage.now += 1000;
  stage.session.take(sampleRecord((record) => (record.numbers[NUMBER.octets] = NaN)));
  stage.transport.isReady = true;
  stage.after(60_000);
  const values = stage
    .messages()
    .flatMap(({ records }) => records)
    .find((record) => 'notSentFlowTotalCount' in record.values)?.values;
  assert.deepEqual(values, {
    exportingProcessId: 1,
    notSentFlowTotalCount: 2,
    notSentPacketTotalCount: 16,
    notSentOctetTotalCount: 497,
    observationTimeMilliseconds: T0_MS,
    'observationTimeMilliseconds#2': T0_MS + 1000,
  });
});

test('a connection that comes anew begins from nothing and tells at once what was lost', () => {
  const stage = started({ transport: new MemoryTransport(true, 16_384) });
  stage.session.take(sampleRecord());
  stage.session.down();
  stage.session.take(sampleRecord());
  assert.equal(stage.session.ledger.notSent.flows, 2);
  assert.equal(stage.session.ledger.totals.flowRecords, 0);
  const before = stage.transport.messages.length;
  stage.session.up();
  const again = new Decoder();
  const messages = stage.transport.messages.slice(before).map((message) => again.decode(message));
  for (const of of [0, 7]) assert.equal(messages.find(({ domain }) => domain === of)?.sequence, 0);
  const values = messages.flatMap(({ records }) => records.map((record) => record.values));
  assert.ok(values.some((value) => value['notSentFlowTotalCount'] === 2));
});

test('a message that the transport could not deliver is no longer counted as sent', () => {
  const stage = started();
  stage.session.take(sampleRecord());
  stage.after(500);
  const { flowRecords, messages } = stage.session.ledger.totals;
  const contents = stage.transport.contents.at(-1);
  assert.ok(contents !== undefined);
  stage.session.lost(contents);
  assert.deepEqual([flowRecords, stage.session.ledger.totals.flowRecords], [1, 0]);
  assert.equal(stage.session.ledger.totals.messages, messages - 1);
  assert.equal(stage.session.ledger.notSent.packets, 8);
});

test('the export time does not go back when the clock does', () => {
  const stage = started();
  stage.session.take(sampleRecord());
  stage.after(500);
  stage.now -= 10_000;
  stage.session.take(sampleRecord());
  stage.after(500);
  stage.messages();
  stage.now += 20_000;
  stage.session.take(sampleRecord());
  assert.equal(stage.flowRecords().length, 1);
});

test('a flow over 4 GiB keeps its count, memory over 4 GiB is cut to the largest number', () => {
  for (const version of [9, 10] as const) {
    const stage = started({ version });
    const octets = 3 * 2 ** 40 + 5;
    stage.session.take(
      sampleRecord((record) => {
        record.numbers[NUMBER.octets] = octets;
        record.numbers[NUMBER.source + 4] = 5 * 2 ** 30;
      }),
    );
    const [record] = stage.flowRecords();
    assert.equal(record?.values['octetDeltaCount'], octets);
    assert.equal(record.values['SRC_PROC_ACTUAL_MEMORY'], 0xffff_ffff);
  }
});

test('texts are cut between characters where their length is fixed, and end with NUL', () => {
  const names: readonly (readonly [string, string])[] = [
    ['a-very-long-process-name', 'a-very-long-pro'],
    ['ääääääääää', 'äääääää'],
    ['日本語日本語', '日本語日本'],
    ['\ud800broken', '\ufffdbroken'],
    ['nul\0inside', 'nul\ufffdinside'],
  ];
  for (const [name, expected] of names) {
    for (const options of [{ version: 9 as const }, { template: '%SRC_PROC_NAME:16 %IN_BYTES' }]) {
      const stage = started(options);
      stage.session.take(sampleRecord((record) => (record.texts[TEXT.source + END_TEXT.name] = name)));
      assert.equal(stage.flowRecords()[0]?.values['SRC_PROC_NAME'], expected);
    }
  }
  const whole = started();
  whole.session.take(sampleRecord((record) => (record.texts[TEXT.source + END_TEXT.name] = 'x'.repeat(300))));
  assert.equal(whole.flowRecords()[0]?.values['SRC_PROC_NAME'], 'x'.repeat(300));
});

test('a record that no message holds has its texts cut, or shortened where their length is fixed', () => {
  const stage = started({ template: '@PROCESS@ %SRC_PROC_CMDLINE', transport: new MemoryTransport(false, 548) });
  const commandLine = 'é'.repeat(30_000);
  stage.session.take(sampleRecord((record) => (record.texts[TEXT.source + END_TEXT.commandLine] = commandLine)));
  stage.session.take(sampleRecord());
  const records = stage.flowRecords();
  assert.equal(records.length, 2);
  const cut = String(records[0]?.values['SRC_PROC_CMDLINE']);
  assert.ok(cut.length > 10 && commandLine.startsWith(cut));
  for (const version of [9, 10] as const) {
    const template = '%IN_BYTES %SRC_PROC_NAME:16 %HTTP_URL:1000 %HTTP_HOST:600';
    const fixed = started({ version, template, transport: new MemoryTransport(false, 548) });
    fixed.session.take(
      sampleRecord(({ texts }) => {
        texts[TEXT.httpTarget] = `/${'é'.repeat(600)}`;
        texts[TEXT.httpHost] = 'web.example';
      }),
    );
    const [record] = fixed.flowRecords();
    const room = 548 - (version === 9 ? 20 : 16) - 4;
    const lengths = record?.template.fields.map(({ length }) => length) ?? [];
    assert.deepEqual(lengths.slice(0, 2), [8, 16]);
    assert.ok(lengths[2] === lengths[3] && lengths.reduce((sum, length) => sum + length, 0) <= room);
    assert.ok(lengths.reduce((sum, length) => sum + length, 2) > room);
    assert.deepEqual([record?.values['SRC_PROC_NAME'], record?.values['HTTP_HOST']], ['curl', 'web.example']);
    assert.match(String(record?.values['HTTP_URL']), /^\/é{100,}$/);
  }
});

test('where messages become smaller, records are made to fit again, under other ids', () => {
  const transport = new MemoryTransport(false, 1472);
  const stage = started({ version: 9, template: '%IN_BYTES %HTTP_URL:1000', transport });
  const take = (): void => stage.session.take(sampleRecord(({ texts }) => (texts[TEXT.httpTarget] = '/')));
  take();
  const [large] = stage.flowRecords();
  stage.session.down();
  transport.messageLimit = 548;
  stage.session.up();
  take();
  const [small] = stage.flowRecords();
  assert.deepEqual([large?.template.fields[1]?.length, small?.template.fields[1]?.length], [1000, 516]);
  assert.notEqual(large?.template.id, small?.template.id);
  assert.equal(stage.session.ledger.notSent.flows, 0);
});

test('no message is larger than its limit, with many records and templates', () => {
  for (const limit of [548, 1472, 16_384]) {
    for (const version of [9, 10] as const) {
      const stage = started({ version, transport: new MemoryTransport(limit > 2000, limit) });
      for (let i = 0; i < 500; i++) {
        stage.session.take(sampleRecord((record) => (record.texts[TEXT.source + END_TEXT.name] = 'n'.repeat(i % 16))));
      }
      stage.after(500);
      const lengths = stage.transport.messages.map(({ length }) => length);
      assert.ok(Math.max(...lengths) <= limit && Math.max(...lengths) > limit - 300);
      const flows = stage.messages().flatMap(({ records }) => records.filter(({ template }) => !template.isOptions));
      assert.equal(flows.length, 500);
      assert.equal(stage.decoder.gaps, 0);
    }
  }
});

test('a template of one element of one octet is not padded into another record', () => {
  for (const version of [9, 10] as const) {
    const stage = started({ version, template: '%PROTOCOL' });
    for (let i = 0; i < 3; i++) stage.session.take(sampleRecord());
    assert.equal(stage.flowRecords().length, 3);
  }
});

test('a record that knows nothing of what is asked for is none', () => {
  const stage = started({ template: '%DNS_QUERY' });
  stage.session.take(sampleRecord());
  assert.equal(stage.flowRecords().length, 0);
  assert.equal(stage.session.ledger.notSent.flows, 0);
});

test('uptimes begin anew after 49.7 days, and no flow starts after it ends', () => {
  const stage = new Stage({ version: 9, bootMs: T0_MS - 2 ** 32 - 1500 });
  stage.session.up();
  stage.session.take(sampleRecord());
  const [record] = stage.flowRecords();
  assert.deepEqual([record?.values['flowStartSysUpTime'], record?.values['flowEndSysUpTime']], [0, 500]);
  assert.ok(stage.uptimeMs >= 500);
});

test('RFC 5103: reverse elements where both directions had packets, else the direction alone', () => {
  const stage = started({ biflow: true, template: '%IPV4_SRC_ADDR %IPV4_DST_ADDR %IN_BYTES %IN_PKTS %TCP_FLAGS' });
  stage.session.take(
    sampleRecord(({ numbers }) => {
      numbers[NUMBER.reverseOctets] = 1177;
      numbers[NUMBER.reversePackets] = 6;
      numbers[NUMBER.reverseTcpFlags] = 0x1a;
      numbers[NUMBER.biflowDirection] = 1;
    }),
  );
  stage.session.take(sampleRecord(({ numbers }) => (numbers[NUMBER.biflowDirection] = 2)));
  const [both, one] = stage.flowRecords();
  assert.deepEqual(both?.values, {
    sourceIPv4Address: '10.0.0.1',
    destinationIPv4Address: '192.0.2.200',
    octetDeltaCount: 497,
    packetDeltaCount: 8,
    tcpControlBits: 0x1b,
    reverseOctetDeltaCount: 1177,
    reversePacketDeltaCount: 6,
    reverseTcpControlBits: 0x1a,
    biflowDirection: 1,
  });
  assert.equal(both.template.fields.filter(({ pen }) => pen === 29305).length, 3);
  assert.ok(one !== undefined && !('reverseOctetDeltaCount' in one.values));
});

test('records of more kinds than there may be templates are counted as not sent', () => {
  const names = ['octetDeltaCount', 'packetDeltaCount', 'protocolIdentifier', 'tcpControlBits', 'flowEndReason'];
  const more = ['flowDirection', 'L7_PROTO', 'SRC_PROC_PID', 'SRC_PROC_NAME', 'DST_PROC_PID'];
  const stage = started({
    template: [...names, ...more].map((name) => `%${name}`).join(' '),
    templateRefreshPackets: 1e6,
  });
  const places = [NUMBER.octets, NUMBER.packets, NUMBER.protocol, NUMBER.tcpFlags, NUMBER.endReason];
  const others = [NUMBER.direction, NUMBER.applicationId, NUMBER.source, NUMBER.destination];
  for (let kind = 0; kind < 1024; kind++) {
    stage.session.take(
      sampleRecord(({ numbers, texts }) => {
        for (const [bit, at] of [...places, ...others].entries()) if ((kind & (1 << bit)) !== 0) numbers[at] = NaN;
        if ((kind & 512) !== 0) texts[TEXT.source + END_TEXT.name] = null;
      }),
    );
  }
  assert.equal(stage.session.templateCount, 512);
  // The last of all kinds knows nothing at all.
  assert.deepEqual([stage.flowRecords().length, stage.session.ledger.notSent.flows], [512, 511]);
});
