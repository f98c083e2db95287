/**
 * What a collector is told: one session for each. It has its own sequence, templates and statistics, and nothing that
 * happens to one collector is noticed by another.
 */
import { PEN } from './element.js';
import type { Format, OptionsTemplate } from './format.js';
import { Ledger } from './ledger.js';
import { MessageBuilder } from './message.js';
import * as options from './options.js';
import type { OptionValue } from './options.js';
import { NUMBER, type FlowRecord } from './record.js';
import { encode, type Field, type Template } from './template.js';
import { Templates } from './templates.js';
import type { Contents, Transport } from './transport/transport.js';

export interface SessionOptions {
  readonly format: Format;
  /** All that a record may tell. */
  readonly fields: readonly Field[];
  readonly transport: Transport;
  /** Observation domain (IPFIX) or source id (NetFlow v9). */
  readonly domain: number;
  /** Boot of the host, in ms of Unix time. */
  readonly bootMs: number;
  readonly templateRefreshMs: number;
  /** Messages with flow records from one sending of the templates to the next. */
  readonly templateRefreshPackets: number;
  readonly statisticsIntervalMs: number;
  /** How long a record waits for others to fill its message. */
  readonly maxDelayMs: number;
  readonly timeouts: options.TimeoutSeconds;
  /** Unix time in ms. */
  readonly nowMs: () => number;
}

/** Over a transport that may lose them, templates are sent so often before their first use (RFC 7011 8.4). */
const COPIES = 3;
const UPTIME_SPAN_MS = 2 ** 32;
/** The clocks of kernel and process may differ by so much. */
const CLOCK_SLACK_MS = 1000;
/** Texts are as long as they are. */
const UNCUT = 65_535;

export class Session {
  readonly ledger: Ledger;
  private readonly templates: Templates;
  private builder: MessageBuilder;
  private isUp = false;
  private sequence = 0;
  /** When the message at hand was begun, and what uptimes in it count from. */
  private begunMs = 0;
  private zeroMs = 0;
  /** Of the message at hand. */
  private flows = 0;
  private packets = 0;
  private octets = 0;
  private latestEndMs = 0;
  private lastExportMs = 0;
  private dataMessages = 0;
  private refreshedMs = 0;
  private reportedMs = 0;
  private toldNotSent = 0;
  private beginnings = 0;

  constructor(private readonly session: SessionOptions) {
    this.ledger = new Ledger(session.nowMs);
    this.templates = new Templates(session.fields, options.FIRST_FLOW_TEMPLATE);
    this.builder = new MessageBuilder(session.format, session.transport.messageLimit);
  }

  get templateCount(): number {
    return this.templates.all.length;
  }

  /** How often the transport came up. */
  get sessions(): number {
    return this.beginnings;
  }

  /** The transport takes messages from now on. */
  up(): void {
    const { transport, format, nowMs } = this.session;
    this.builder = new MessageBuilder(format, transport.messageLimit);
    this.isUp = true;
    this.beginnings++;
    if (transport.isReliable) this.sequence = 0;
    this.templates.forgetAnnounced();
    this.dataMessages = 0;
    this.reportedMs = nowMs();
    this.introduce(transport.isReliable ? 1 : COPIES);
    if (this.ledger.notSent.flows > this.toldNotSent) this.tellNotSent();
    this.flush();
  }

  /** The transport takes nothing until it is up again. */
  down(): void {
    if (!this.isUp) return;
    this.isUp = false;
    // What was not sealed yet is not sent either.
    this.ledger.miss(this.flows, this.packets, this.octets);
    this.clear();
  }

  /** A message that was counted as sent was not. */
  lost(contents: Contents): void {
    this.ledger.unsend(contents);
  }

  /** Exports a record, or counts it as not sent. Never waits. */
  take(record: FlowRecord): void {
    const template = this.templates.of(record);
    // A record that knows nothing of what the template tells is none.
    if (template === null) return;
    if (!this.isUp || !this.session.transport.isReady || !this.write(template, record)) {
      this.ledger.miss(1, record.packetsTold, record.octetsTold);
      return;
    }
    this.flows++;
    this.packets += record.packetsTold;
    this.octets += record.octetsTold;
    this.latestEndMs = Math.max(this.latestEndMs, (record.numbers[NUMBER.end] as number) / 1000);
  }

  /** Does what is due: sends messages that have waited, templates and statistics. */
  tick(): void {
    if (!this.isUp) return;
    const { nowMs, maxDelayMs, statisticsIntervalMs, templateRefreshMs, transport } = this.session;
    const now = nowMs();
    if (!transport.isReliable && now - this.refreshedMs >= templateRefreshMs) {
      this.flush();
      this.introduce(1);
      this.flush();
    }
    if (now - this.reportedMs >= statisticsIntervalMs) this.report();
    if (!this.builder.isEmpty && now - this.begunMs >= maxDelayMs) this.flush();
    if (transport.isFull) {
      this.report();
      transport.renew();
    }
  }

  /** The last records and statistics, then the end. */
  async close(): Promise<void> {
    if (this.isUp) this.report();
    await this.session.transport.close();
  }

  private write(template: Template, record: FlowRecord): boolean {
    if (!template.isAnnounced && !this.announce(template)) return false;
    if (this.builder.isEmpty) this.begin();
    if (this.append(template, record, UNCUT)) return true;
    this.flush();
    this.begin();
    if (this.append(template, record, UNCUT)) return true;
    // Beside templates there was no room either.
    if (!this.builder.isEmpty) this.flush();
    this.begin();
    return this.append(template, record, UNCUT) || this.appendCut(template, record);
  }

  private append(template: Template, record: FlowRecord, longest: number): boolean {
    const { builder } = this;
    if (!builder.begin(template.id, template.minimumLength)) return false;
    if (!encode(template, record, builder.out, this.zeroMs, longest)) {
      builder.undo();
      return false;
    }
    builder.done(true);
    return true;
  }

  /** A record that is larger than a message has its texts cut. */
  private appendCut(template: Template, record: FlowRecord): boolean {
    const { variableTexts, minimumLength } = template;
    const spare = this.builder.roomForRecords - minimumLength - 2 * variableTexts;
    if (spare < 0 || variableTexts === 0) return false;
    return this.append(template, record, Math.floor(spare / variableTexts));
  }

  /** The next message is for data: templates go before it when they are due. */
  private begin(): void {
    this.stamp();
    const { transport, templateRefreshPackets } = this.session;
    if (!transport.isReliable && this.dataMessages >= templateRefreshPackets) this.refreshTemplates();
  }

  private stamp(): void {
    const { nowMs, bootMs } = this.session;
    this.begunMs = nowMs();
    this.zeroMs = bootMs + Math.floor((this.begunMs - bootMs) / UPTIME_SPAN_MS) * UPTIME_SPAN_MS;
  }

  /** Everything that the collector must know to understand what follows. */
  private introduce(copies: number): void {
    const { format, fields, domain, timeouts, nowMs } = this.session;
    this.refreshedMs = nowMs();
    for (let copy = 1; copy < copies; copy++) {
      this.writeOptionsTemplates();
      this.flush();
    }
    this.refreshTemplates();
    if (format.name === 'NETFLOW_V9') return;
    for (const { element } of fields) {
      if (element.pen !== PEN.iana) this.writeOptions(options.TYPE_INFORMATION, options.typeValues(element));
    }
    this.writeOptions(options.TIMEOUTS, options.timeoutValues(domain, timeouts));
    for (const template of this.templates.all) {
      if (template.isAnnounced) this.tellKeys(template);
    }
  }

  /** All templates once more. */
  private refreshTemplates(): void {
    this.dataMessages = 0;
    this.writeOptionsTemplates();
    for (const template of this.templates.all) {
      if (template.isAnnounced) this.writeTemplate(template);
    }
  }

  /** @returns false when no message has room for it */
  private announce(template: Template): boolean {
    if (this.session.format.templateLength(template.fields) > this.builder.roomForRecords) return false;
    template.isAnnounced = true;
    if (!this.session.transport.isReliable) {
      this.flush();
      for (let copy = 1; copy < COPIES; copy++) {
        this.writeTemplate(template);
        this.flush();
      }
    }
    this.writeTemplate(template);
    this.tellKeys(template);
    return true;
  }

  private tellKeys(template: Template): void {
    const values = this.session.format.name === 'IPFIX' ? options.flowKeyValues(template) : null;
    if (values !== null) this.writeOptions(options.FLOW_KEYS, values);
  }

  /** Statistics are exact up to the message before: they have one of their own. */
  private report(): void {
    const { format, domain, timeouts, nowMs } = this.session;
    this.flush();
    this.reportedMs = nowMs();
    const { totals, notSent } = this.ledger;
    if (format.name === 'IPFIX') {
      this.writeOptions(options.METERING_STATISTICS, options.meteringValues(domain, totals));
      if (notSent.flows > 0) this.tellNotSent();
    } else this.writeOptions(options.V9_STATISTICS, options.v9Values(domain, totals, notSent, timeouts));
    this.flush();
  }

  private tellNotSent(): void {
    const { notSent } = this.ledger;
    this.toldNotSent = notSent.flows;
    if (this.session.format.name === 'NETFLOW_V9') return;
    this.writeOptions(options.EXPORT_RELIABILITY, options.reliabilityValues(notSent));
  }

  private writeOptionsTemplates(): void {
    const { format } = this.session;
    for (const template of format.name === 'IPFIX' ? options.IPFIX_OPTIONS : options.V9_OPTIONS) {
      this.fit(format.optionsTemplateSet, format.optionsTemplateLength(template));
      format.writeOptionsTemplate(this.builder.out, template);
      this.builder.done(false);
      // Some readers drop the whole set of a template that they dislike.
      this.builder.endSet();
    }
  }

  private writeTemplate({ id, fields }: Template): void {
    const { format } = this.session;
    this.fit(format.templateSet, format.templateLength(fields));
    format.writeTemplate(this.builder.out, id, fields);
    this.builder.done(false);
  }

  private writeOptions(template: OptionsTemplate, values: readonly OptionValue[]): void {
    this.fit(template.id, options.optionsLength(template, values));
    options.writeOptions(this.builder.out, template, values);
    this.builder.done(true);
  }

  /** Begins a record of known length, in a new message if it must be. */
  private fit(setId: number, length: number): void {
    if (this.builder.isEmpty) this.stamp();
    if (this.builder.begin(setId, length)) return;
    this.flush();
    this.stamp();
    this.builder.begin(setId, length);
  }

  private flush(): void {
    const { builder } = this;
    if (builder.isEmpty) return;
    const { format, transport, domain } = this.session;
    const { sequence, zeroMs, flows, packets, octets } = this;
    const message = builder.seal({ sequence, exportMs: this.exportTime(), zeroMs, domain });
    this.sequence = format.nextSequence(sequence, builder.dataRecords);
    if (flows > 0) this.dataMessages++;
    const contents: Contents = { flows, packets, octets, length: message.length };
    this.clear();
    this.ledger.send(contents);
    transport.send(message, contents);
  }

  private clear(): void {
    this.builder.clear();
    this.flows = 0;
    this.packets = 0;
    this.octets = 0;
  }

  /** Now, but never before a message that went before, nor before the end of a flow that it tells of. */
  private exportTime(): number {
    const now = this.session.nowMs();
    this.lastExportMs = Math.max(now, this.lastExportMs, Math.min(this.latestEndMs, now + CLOCK_SLACK_MS));
    return this.lastExportMs;
  }
}
