/** Sessions over memory, with a clock of their own, and records to give them. */
import { FlowRecord, END_NUMBER, END_TEXT, NUMBER, TEXT } from '../../src/export/record.js';
import { ipfix } from '../../src/export/ipfix.js';
import { netflow9 } from '../../src/export/netflow9.js';
import { Session, type SessionOptions } from '../../src/export/session.js';
import { fieldsOf, parseSpecification } from '../../src/export/specification.js';
import type { Field } from '../../src/export/template.js';
import { DEFAULT_TEMPLATE } from '../../src/export/macros.js';
import { Decoder, type DecodedMessage, type DecodedRecord } from './decoder.js';
import { MemoryTransport } from './memory-transport.js';

/** 2026-11-23T08:43:09.064Z */
export const T0_MS = 1_795_423_389_064;
export const BOOT_MS = T0_MS - 3_600_000;

export interface StageOptions extends Partial<Omit<SessionOptions, 'format' | 'fields' | 'transport' | 'nowMs'>> {
  readonly version?: 9 | 10;
  readonly template?: string;
  readonly biflow?: boolean;
  readonly transport?: MemoryTransport;
}

export class Stage {
  readonly transport: MemoryTransport;
  readonly session: Session;
  readonly fields: readonly Field[];
  readonly decoder = new Decoder();
  now = T0_MS;
  /** Of the latest message of NetFlow v9. */
  uptimeMs = 0;
  private decoded = 0;

  constructor({ version = 10, template = DEFAULT_TEMPLATE, biflow = false, transport, ...rest }: StageOptions = {}) {
    this.transport = transport ?? new MemoryTransport();
    const format = version === 10 ? ipfix : netflow9;
    this.fields = fieldsOf(parseSpecification(template, biflow), format);
    this.session = new Session({
      format,
      fields: this.fields,
      transport: this.transport,
      domain: 7,
      bootMs: BOOT_MS,
      templateRefreshMs: 600_000,
      templateRefreshPackets: 20,
      statisticsIntervalMs: 60_000,
      maxDelayMs: 500,
      timeouts: { active: 120, idle: 30 },
      nowMs: () => this.now,
      ...rest,
    });
  }

  /** Lets time pass, then does what is due. */
  after(ms: number): void {
    this.now += ms;
    this.session.tick();
  }

  /** The messages that were sent since the last time here. */
  messages(): DecodedMessage[] {
    const fresh = this.transport.messages.slice(this.decoded);
    this.decoded = this.transport.messages.length;
    const messages = fresh.map((message) => this.decoder.decode(message));
    this.uptimeMs = messages.at(-1)?.uptimeMs ?? this.uptimeMs;
    return messages;
  }

  /** Flow records sent since the last time here, with those that wait. */
  flowRecords(): DecodedRecord[] {
    this.after(1000);
    return this.messages().flatMap(({ records }) => records.filter(({ template }) => !template.isOptions));
  }
}

/** A TCP record of two local processes, with everything known. */
export function sampleRecord(change: (record: FlowRecord) => void = () => undefined): FlowRecord {
  const record = new FlowRecord();
  const { numbers, texts } = record;
  numbers[NUMBER.protocol] = 6;
  numbers[NUMBER.ipVersion] = 4;
  numbers[NUMBER.sourcePort] = 46_704;
  numbers[NUMBER.destinationPort] = 80;
  numbers[NUMBER.start] = (T0_MS - 2000) * 1000 + 123;
  numbers[NUMBER.end] = (T0_MS - 1000) * 1000 + 456;
  numbers[NUMBER.octets] = 497;
  numbers[NUMBER.packets] = 8;
  numbers[NUMBER.tcpFlags] = 0x1b;
  numbers[NUMBER.endReason] = 3;
  numbers[NUMBER.direction] = 1;
  numbers[NUMBER.applicationId] = 7;
  texts[TEXT.sourceIpv4] = '10.0.0.1';
  texts[TEXT.destinationIpv4] = '192.0.2.200';
  setEnd(record, 'source', 4242, 'curl', 'ada', 1, 'bash');
  setEnd(record, 'destination', 4019, 'nginx', 'www-data', 812, 'systemd');
  change(record);
  return record;
}

function setEnd(
  { numbers, texts }: FlowRecord,
  end: 'source' | 'destination',
  pid: number,
  name: string,
  user: string,
  fatherPid: number,
  fatherName: string,
): void {
  const number = NUMBER[end];
  numbers[number + END_NUMBER.pid] = pid;
  numbers[number + END_NUMBER.fatherPid] = fatherPid;
  numbers[number + END_NUMBER.memoryBytes] = 1_048_576;
  numbers[number + END_NUMBER.peakMemoryBytes] = 2_097_152;
  numbers[number + END_NUMBER.cpuLoad] = 1250;
  numbers[number + END_NUMBER.pageFaults] = 99;
  numbers[number + END_NUMBER.ioWait] = 10;
  const text = TEXT[end];
  texts[text + END_TEXT.name] = name;
  texts[text + END_TEXT.userName] = user;
  texts[text + END_TEXT.fatherName] = fatherName;
}

/** Makes the process at an end unknown. */
export function withoutEnd(record: FlowRecord, end: 'source' | 'destination'): void {
  for (const at of Object.values(END_NUMBER)) record.numbers[NUMBER[end] + at] = NaN;
  for (const at of Object.values(END_TEXT)) record.texts[TEXT[end] + at] = null;
}
