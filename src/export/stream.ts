/** The messages of one observation domain to one collector: they have a sequence of their own. */
import type { Format, OptionsTemplate } from './format.js';
import { MessageBuilder } from './message.js';
import * as options from './options.js';
import type { OptionValue } from './options.js';
import { NUMBER, type FlowRecord } from './record.js';
import { encode, type Template } from './template.js';
import type { Contents } from './transport/transport.js';

export interface StreamOptions {
  readonly format: Format;
  /** Observation domain (IPFIX) or source id (NetFlow v9). */
  readonly domain: number;
  /** Octets of the largest message. */
  readonly messageLimit: number;
  /** Boot of the host, in ms of Unix time. */
  readonly bootMs: number;
  /** Unix time in ms. */
  readonly nowMs: () => number;
  readonly send: (message: Uint8Array, contents: Contents) => void;
  /** Where the sequence goes on. */
  readonly sequence: number;
}

const UPTIME_SPAN_MS = 2 ** 32;
/** The clocks of kernel and process may differ by so much. */
const CLOCK_SLACK_MS = 1000;
/** Texts are as long as they are. */
const UNCUT = 65_535;

export class MessageStream {
  private readonly builder: MessageBuilder;
  private nextSequence: number;
  /** When the message at hand was begun, and what uptimes in it count from. */
  private begunMs = 0;
  private zeroMs = 0;
  /** Of the message at hand. */
  private flows = 0;
  private packets = 0;
  private octets = 0;
  private latestEndMs = 0;
  private lastExportMs = 0;

  constructor(private readonly stream: StreamOptions) {
    this.builder = new MessageBuilder(stream.format, stream.messageLimit);
    this.nextSequence = stream.sequence;
  }

  get isEmpty(): boolean {
    return this.builder.isEmpty;
  }

  get sequence(): number {
    return this.nextSequence;
  }

  /** Since when the message at hand waits. */
  get waitsSinceMs(): number {
    return this.begunMs;
  }

  /** Octets of records that fit into a message. */
  get roomForRecords(): number {
    return this.builder.roomForRecords;
  }

  /** What is in the message at hand, which will not be sent. */
  drop(): Contents {
    const { flows, packets, octets } = this;
    this.clear();
    return { flows, packets, octets, length: 0 };
  }

  /** @returns false when the message at hand has no room for it */
  appendFlow(template: Template, record: FlowRecord): boolean {
    return this.append(template, record, UNCUT);
  }

  /** As {@link appendFlow}, with the texts cut so that the record fits into a message of its own. */
  appendCutFlow(template: Template, record: FlowRecord): boolean {
    const { variableTexts, minimumLength } = template;
    const spare = this.builder.roomForRecords - minimumLength - 2 * variableTexts;
    return spare >= 0 && variableTexts > 0 && this.append(template, record, Math.floor(spare / variableTexts));
  }

  writeTemplate({ id, fields }: Template): void {
    const { format } = this.stream;
    this.fit(format.templateSet, format.templateLength(fields));
    format.writeTemplate(this.builder.out, id, fields);
    this.builder.done(false);
  }

  writeOptionsTemplate(template: OptionsTemplate): void {
    const { format } = this.stream;
    this.fit(format.optionsTemplateSet, format.optionsTemplateLength(template));
    format.writeOptionsTemplate(this.builder.out, template);
    this.builder.done(false);
    // Some readers drop the whole set of a template that they dislike.
    this.builder.endSet();
  }

  writeOptions(template: OptionsTemplate, values: readonly OptionValue[]): void {
    this.fit(template.id, options.optionsLength(template, values));
    options.writeOptions(this.builder.out, template, values);
    this.builder.done(true);
  }

  /** Sends the message at hand, if there is one. @returns whether it has flow records */
  flush(): boolean {
    const { builder, zeroMs } = this;
    if (builder.isEmpty) return false;
    const { format, domain, send } = this.stream;
    const message = builder.seal({ sequence: this.nextSequence, exportMs: this.exportTime(), zeroMs, domain });
    this.nextSequence = format.nextSequence(this.nextSequence, builder.dataRecords);
    const { flows, packets, octets } = this;
    this.clear();
    send(message, { flows, packets, octets, length: message.length });
    return flows > 0;
  }

  private append(template: Template, record: FlowRecord, longest: number): boolean {
    const { builder } = this;
    if (builder.isEmpty) this.stamp();
    if (!builder.begin(template.id, template.minimumLength)) return false;
    if (!encode(template, record, builder.out, this.zeroMs, longest)) {
      builder.undo();
      return false;
    }
    builder.done(true);
    this.flows++;
    this.packets += record.packetsTold;
    this.octets += record.octetsTold;
    this.latestEndMs = Math.max(this.latestEndMs, (record.numbers[NUMBER.end] as number) / 1000);
    return true;
  }

  /** Begins a record of known length, in a new message if it must be. */
  private fit(setId: number, length: number): void {
    if (this.builder.isEmpty) this.stamp();
    if (this.builder.begin(setId, length)) return;
    this.flush();
    this.stamp();
    this.builder.begin(setId, length);
  }

  private stamp(): void {
    const { nowMs, bootMs } = this.stream;
    this.begunMs = nowMs();
    this.zeroMs = bootMs + Math.floor((this.begunMs - bootMs) / UPTIME_SPAN_MS) * UPTIME_SPAN_MS;
  }

  private clear(): void {
    this.builder.clear();
    this.flows = 0;
    this.packets = 0;
    this.octets = 0;
  }

  /** Now, but never before a message that went before, nor before the end of a flow that it tells of. */
  private exportTime(): number {
    const now = this.stream.nowMs();
    this.lastExportMs = Math.max(now, this.lastExportMs, Math.min(this.latestEndMs, now + CLOCK_SLACK_MS));
    return this.lastExportMs;
  }
}
