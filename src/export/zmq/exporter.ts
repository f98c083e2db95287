/** Flows for ntopng over ZMQ, and what it wants to know of the probe that sends them. */
import type { Config } from '../../config/index.js';
import { ProcflowError } from '../../errors.js';
import type { Logger } from '../../log.js';
import type { ExporterStatus } from '../exporter.js';
import type { Exporter as ExporterFacts } from '../filler.js';
import { Health } from '../health.js';
import { Ledger } from '../ledger.js';
import type { FlowRecord } from '../record.js';
import type { Shape, Specification } from '../specification.js';
import type { Field } from '../template.js';
import type { Contents } from '../transport/transport.js';
import { Batch } from './batch.js';
import { dialectOf, payloadOf, type Dialect } from './dialect.js';
import { eventDocument, templateDocument, type ProbeFacts } from './documents.js';
import type { ZmqDestination } from './endpoint.js';
import { encodeHeader, type HeaderVersion, type PayloadKind, type Topic } from './header.js';
import { Publisher } from './publisher.js';

/** What an exporter is told from outside. */
export interface Surroundings {
  readonly exporter: ExporterFacts;
  readonly probe: ProbeFacts;
  /** The document with the ports that somebody listens on now. */
  readonly listeningPorts: () => string;
  readonly log: Logger;
  /** Unix time in ms. */
  readonly nowMs: () => number;
}

/** ntopng takes a probe for gone after ten seconds. */
const EVENT_MS = 5000;
/** ntopng keeps them of hosts only that it has seen traffic of: so again and again. */
const PORTS_MS = 60_000;
/** The first time, when flows of the host have been sent. */
const FIRST_PORTS_MS = 5000;

export class ZmqExporter {
  /** What its records may tell. */
  readonly fields: readonly Field[];
  /** How many records tell of an interval. */
  readonly shape: Shape;
  private readonly health: Health;
  private readonly ledger: Ledger;
  private readonly dialect: Dialect;
  private readonly batch: Batch;
  private readonly publisher: Publisher;
  private readonly sourceId: number;
  private readonly mode: ZmqDestination['mode'];
  private nextMessageId = 1;
  private subscribers = 0;
  /** Of all records, sent or not. */
  private octets = 0;
  private packets = 0;
  /** When the latest event was sent, and what it told. */
  private told = { timeMs: 0, octets: 0, packets: 0 };
  /** When each is due next, in ms of Unix time. */
  private readonly due = { event: 0, template: 0, ports: 0 };

  /** @throws ProcflowError CONFIG_INVALID for what ntopng would not understand */
  constructor(
    private readonly destination: ZmqDestination,
    specification: Specification,
    private readonly config: Config['export'],
    private readonly around: Surroundings,
  ) {
    this.health = new Health(destination.name, around.log);
    this.ledger = new Ledger(around.nowMs);
    this.shape = specification.shape;
    // What nothing measures is never told: ntopng need not know its name.
    this.fields = specification.items
      .filter(({ element }) => element.place !== null)
      .map(({ element }) => ({ element, length: element.length }));
    this.dialect = dialectOf(config.zmq);
    const { limit, mostRecords, header } = this.dialect;
    this.batch = new Batch({ payload: payloadOf(this.dialect, this.fields), limit, mostRecords });
    this.sourceId = sourceIdFor(around.exporter.domain, header);
    const { highWaterMark, encryptionKey, probeMode } = config.zmq;
    this.mode = probeMode ? 'CONNECT' : destination.mode;
    if (probeMode && destination.endpoint.startsWith('tcp://*'))
      throw new ProcflowError(
        'CONFIG_INVALID',
        `${destination.name}: export.zmq.probeMode needs to know where ntopng waits`,
      );
    this.publisher = new Publisher(
      {
        ...{ endpoint: destination.endpoint, mode: this.mode },
        ...{ encryptionKey, highWaterMark, queueBytes: config.queueBytes, retryMs: config.reconnectMs },
      },
      {
        subscribed: (topic) => this.subscribed(topic),
        changed: () => this.changed(),
        failed: (error) => this.health.failed(error),
      },
    );
  }

  /** Resolves when somebody had subscribed, or it had failed, for the first time. */
  get tried(): Promise<void> {
    return this.health.tried;
  }

  /** Where others come to read from this agent; null when it goes to them, or the socket is a local one. */
  get port(): number | null {
    const { endpoint } = this.destination;
    return this.mode === 'BIND' && endpoint.startsWith('tcp:') ? Number(/\d+$/.exec(endpoint)?.[0]) : null;
  }

  start(): void {
    void this.publisher.start();
  }

  /** Exports a record, or counts it as not sent. Never waits. */
  take(record: FlowRecord): void {
    this.octets += record.octetsTold;
    this.packets += record.packetsTold;
    if (this.publisher.wants('flow') && this.append(record)) return;
    this.ledger.miss(1, record.packetsTold, record.octetsTold);
  }

  /** Does what is due. */
  tick(): void {
    const now = this.around.nowMs();
    if (this.publisher.wants('template') && now >= this.due.template) {
      this.due.template = now + this.config.templateRefreshMs;
      this.tell('template', templateDocument(this.fields));
    }
    if (this.publisher.wants('event') && now >= this.due.event) this.tellEvent(now);
    if (!this.batch.isEmpty && now - this.batch.sinceMs >= this.config.maxDelayMs) this.flush();
    if (this.publisher.wants('listening-ports') && now >= this.due.ports) {
      this.due.ports = now + PORTS_MS;
      this.tell('listening-ports', this.around.listeningPorts());
    }
  }

  /** The last records and an event with the last counts. */
  async close(): Promise<void> {
    this.flush();
    if (this.publisher.wants('event')) this.tellEvent(this.around.nowMs());
    await this.publisher.close();
  }

  get status(): ExporterStatus {
    const { totals, notSent } = this.ledger;
    return {
      name: this.destination.name,
      format: this.dialect.kind,
      transport: 'ZMQ',
      ...this.health.status,
      sentRecords: totals.flowRecords,
      sentMessages: totals.messages,
      sentOctets: totals.octets,
      notSentRecords: notSent.flows,
      notSentPackets: notSent.packets,
      notSentOctets: notSent.octets,
      queuedBytes: this.publisher.queuedBytes,
      // Each record says itself what it tells.
      templates: 0,
      sessions: this.subscribers,
    };
  }

  private append(record: FlowRecord): boolean {
    const { batch } = this;
    const now = this.around.nowMs();
    if (!batch.append(record, now)) {
      this.flush();
      if (!batch.append(record, now)) return false;
    }
    if (this.dialect.mostRecords === 1) this.flush();
    return true;
  }

  private flush(): void {
    if (this.batch.isEmpty) return;
    const { payload, contents } = this.batch.seal();
    this.send('flow', this.dialect.kind, payload, contents);
  }

  /** A document, which is JSON whatever the flows are. */
  private tell(topic: Topic, document: string): void {
    const payload = Buffer.from(document);
    this.send(topic, 'JSON', payload, { flows: 0, packets: 0, octets: 0, length: payload.length });
  }

  private tellEvent(now: number): void {
    this.due.event = now + EVENT_MS;
    const { octets, packets, told } = this;
    // Before the first event there is nothing to compare with.
    const seconds = told.timeMs === 0 ? Infinity : Math.max(1, now - told.timeMs) / 1000;
    const document = eventDocument(this.around.probe, {
      timeMs: now,
      octets,
      packets,
      bitsPerSecond: Math.round(((octets - told.octets) * 8) / seconds),
      packetsPerSecond: Math.round((packets - told.packets) / seconds),
      sentRecords: this.ledger.totals.flowRecords,
      notSentRecords: this.ledger.notSent.flows,
    });
    this.told = { timeMs: now, octets, packets };
    this.tell('event', document);
  }

  private send(topic: Topic, kind: PayloadKind, payload: Uint8Array, contents: Contents): void {
    const messageId = this.nextMessageId;
    this.nextMessageId = (messageId + 1) % 2 ** 32;
    const facts = { topic, kind, length: payload.length, messageId, sourceId: this.sourceId };
    this.ledger.send(contents);
    this.publisher.send(encodeHeader(this.dialect.header, facts), payload, () => this.ledger.unsend(contents));
  }

  private changed(): void {
    const state = this.publisher.isUp ? 'UP' : 'DOWN';
    if (state === this.health.status.state) return;
    this.health.become(state);
    if (state === 'UP') this.around.log.info(`export to ${this.destination.name}: somebody subscribed`);
  }

  /** Tells whoever is new what the others know; at the next tick, so that nobody can make it busy. */
  private subscribed(topic: Topic): void {
    const now = this.around.nowMs();
    if (topic === 'event') this.due.event = 0;
    if (topic === 'template') this.due.template = 0;
    if (topic === 'listening-ports') this.due.ports = now + FIRST_PORTS_MS;
    if (topic === 'flow') this.subscribers++;
  }
}

/** One octet must do in the header of 24. */
function sourceIdFor(id: number, header: HeaderVersion): number {
  return header === 1 && id > 255 ? (id % 255) + 1 : id;
}
