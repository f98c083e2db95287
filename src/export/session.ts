/**
 * What a collector is told: one session for each. It has its own sequences, templates and statistics, and nothing that
 * happens to one collector is noticed by another.
 *
 * IPFIX has two observation domains: that of the flows, and 0 for what the exporting process tells of itself (RFC 7011
 * 3.1). Some collectors count only flow records for the sequence of a domain: so once there were flow records in it, a
 * transport that such collectors read from carries nothing else in that domain but templates.
 */
import { PEN } from './element.js';
import type { Format } from './format.js';
import { Ledger } from './ledger.js';
import * as options from './options.js';
import type { FlowRecord } from './record.js';
import { MessageStream } from './stream.js';
import type { Field, Template } from './template.js';
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
/** Of the exporting process. */
const PROCESS_DOMAIN = 0;
/** At a high rate templates are refreshed several times a second; what else must be known is told not more often than this. */
const REST_MS = 10_000;
/** Ticks come a few times a second: when they are so far apart, or so much goes back, the clock was set. */
const STEP_FORWARD_MS = 10_000;
const STEP_BACK_MS = 1000;

export class Session {
  readonly ledger: Ledger;
  private readonly templates: Templates;
  private flows: MessageStream;
  /** Of NetFlow v9 the same. */
  private process: MessageStream;
  private isUp = false;
  private hadFlows = false;
  private dataMessages = 0;
  private refreshedMs = 0;
  private reportedMs = 0;
  private toldNotSent = 0;
  private beginnings = 0;
  private tickedMs: number;

  constructor(private readonly session: SessionOptions) {
    this.ledger = new Ledger(session.nowMs);
    this.tickedMs = session.nowMs();
    this.templates = new Templates(session.fields, options.FIRST_FLOW_TEMPLATE);
    this.flows = this.streamOf(session.domain, 0);
    this.process = this.flows;
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
    const { transport, domain, format, nowMs } = this.session;
    const goOn = transport.isReliable || this.beginnings === 0 ? null : { flows: this.flows, process: this.process };
    this.flows = this.streamOf(domain, goOn?.flows.sequence ?? 0);
    this.process =
      format.name === 'NETFLOW_V9' ? this.flows : this.streamOf(PROCESS_DOMAIN, goOn?.process.sequence ?? 0);
    this.isUp = true;
    this.beginnings++;
    if (transport.isReliable) this.hadFlows = false;
    this.templates.begin(this.flows.roomForRecords);
    this.dataMessages = 0;
    this.reportedMs = nowMs();
    this.introduce(transport.isReliable ? 1 : COPIES);
    if (this.ledger.notSent.flows > this.toldNotSent) this.tellNotSent();
    this.flushAll();
  }

  /** The transport takes nothing until it is up again. */
  down(): void {
    if (!this.isUp) return;
    this.isUp = false;
    // What was not sealed yet is not sent either.
    const { flows, packets, octets } = this.flows.drop();
    this.process.drop();
    this.ledger.miss(flows, packets, octets);
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
    if (template !== undefined && this.isUp && this.session.transport.isReady && this.write(template, record)) return;
    this.ledger.miss(1, record.packetsTold, record.octetsTold);
  }

  /** Does what is due: sends messages that have waited, templates and statistics. */
  tick(): void {
    const { nowMs, maxDelayMs, statisticsIntervalMs, templateRefreshMs, transport } = this.session;
    const now = nowMs();
    const hasStepped = now >= this.tickedMs + STEP_FORWARD_MS || now <= this.tickedMs - STEP_BACK_MS;
    this.tickedMs = now;
    if (!this.isUp) return;
    if (hasStepped) this.clockStepped(now);
    else if (!transport.isReliable && now - this.refreshedMs >= templateRefreshMs) this.refresh(1);
    // A collector that does not read now gets them when it does.
    if (transport.isReady && now - this.reportedMs >= statisticsIntervalMs) this.report();
    if (!this.flows.isEmpty && now - this.flows.waitsSinceMs >= maxDelayMs) this.flush();
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

  /** Templates are sent at an accelerated rate then (RFC 3954 7.3), and nothing waits for a time that was. */
  private clockStepped(now: number): void {
    this.flushAll();
    this.reportedMs = Math.min(this.reportedMs, now);
    if (!this.session.transport.isReliable) this.refresh(COPIES);
  }

  private write(template: Template, record: FlowRecord): boolean {
    if (!template.isAnnounced && !this.announce(template)) return false;
    this.refreshWhenDue();
    if (this.flows.appendFlow(template, record)) return true;
    this.flush();
    this.refreshWhenDue();
    if (this.flows.appendFlow(template, record)) return true;
    // Beside templates there was no room either.
    this.flush();
    return this.flows.appendFlow(template, record) || this.flows.appendCutFlow(template, record);
  }

  /** The next message is for data: templates go before it when they are due. */
  private refreshWhenDue(): void {
    const { transport, templateRefreshPackets, nowMs } = this.session;
    if (!this.flows.isEmpty || transport.isReliable || this.dataMessages < templateRefreshPackets) return;
    this.dataMessages = 0;
    if (nowMs() - this.refreshedMs < REST_MS) this.writeTemplates();
    else this.introduce(1);
    if (this.process !== this.flows) this.process.flush();
  }

  private refresh(copies: number): void {
    this.flush();
    this.introduce(copies);
    this.flushAll();
  }

  /** Everything that the collector must know to understand what follows. */
  private introduce(copies: number): void {
    const { format, fields, domain, timeouts, nowMs } = this.session;
    this.refreshedMs = nowMs();
    this.dataMessages = 0;
    for (let copy = 1; copy < copies; copy++) {
      this.writeTemplates();
      this.flushAll();
    }
    this.writeTemplates();
    if (format.name === 'NETFLOW_V9') {
      this.flows.writeOptions(options.V9_SETTINGS, options.v9SettingsValues(domain, timeouts));
      return;
    }
    const stream = this.hadFlows ? this.process : this.flows;
    for (const { element } of fields) {
      if (element.pen !== PEN.iana) stream.writeOptions(options.TYPE_INFORMATION, options.typeValues(element));
    }
    stream.writeOptions(options.SETTINGS, options.settingsValues(domain, timeouts));
  }

  /** @returns false when no message has room for it */
  private announce(template: Template): boolean {
    const { format, transport } = this.session;
    if (format.templateLength(template.fields) > this.flows.roomForRecords) return false;
    template.isAnnounced = true;
    const tellsKeys = transport.isReliable || !this.hadFlows;
    this.hadFlows = true;
    if (!transport.isReliable) {
      this.flush();
      this.refreshWhenDue();
      for (let copy = 1; copy < COPIES; copy++) {
        this.flows.writeTemplate(template);
        // Not in the message that has the first records.
        if (tellsKeys && copy === 1) this.tellKeys(template);
        this.flush();
      }
    }
    this.flows.writeTemplate(template);
    if (tellsKeys && transport.isReliable) this.tellKeys(template);
    return true;
  }

  private tellKeys(template: Template): void {
    const values = this.session.format.name === 'IPFIX' ? options.flowKeyValues(template) : null;
    if (values !== null) this.flows.writeOptions(options.FLOW_KEYS, values);
  }

  /** Statistics are exact up to the message before: they have one of their own. */
  private report(): void {
    const { format, domain, nowMs } = this.session;
    this.flushAll();
    this.reportedMs = nowMs();
    const { totals, notSent } = this.ledger;
    if (format.name === 'IPFIX') {
      this.process.writeOptions(options.METERING_STATISTICS, options.meteringValues(domain, totals));
      if (notSent.flows > 0) this.tellNotSent();
    } else this.process.writeOptions(options.V9_STATISTICS, options.v9Values(domain, totals, notSent));
    this.flushAll();
  }

  private tellNotSent(): void {
    const { notSent } = this.ledger;
    this.toldNotSent = notSent.flows;
    if (this.session.format.name === 'NETFLOW_V9') return;
    this.process.writeOptions(options.EXPORT_RELIABILITY, options.reliabilityValues(notSent));
  }

  /** All that the collector was told of. */
  private writeTemplates(): void {
    const isV9 = this.process === this.flows;
    for (const template of isV9 ? options.V9_OPTIONS : options.FLOW_DOMAIN_OPTIONS) {
      this.flows.writeOptionsTemplate(template);
    }
    for (const template of this.templates.all) {
      if (template.isAnnounced) this.flows.writeTemplate(template);
    }
    if (isV9) return;
    for (const template of options.PROCESS_DOMAIN_OPTIONS) this.process.writeOptionsTemplate(template);
    this.process.flush();
  }

  private flush(): void {
    if (this.flows.flush()) this.dataMessages++;
  }

  private flushAll(): void {
    this.flush();
    this.process.flush();
  }

  private streamOf(domain: number, sequence: number): MessageStream {
    const { format, transport, bootMs, nowMs } = this.session;
    return new MessageStream({
      ...{ format, domain, bootMs, nowMs, sequence, messageLimit: transport.messageLimit },
      send: (message, contents) => {
        this.ledger.send(contents);
        transport.send(message, contents);
      },
    });
  }
}
