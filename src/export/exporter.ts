/** One collector: its session over its transport, and how it goes. */
import type { Config } from '../config/index.js';
import { unreachable } from '../errors.js';
import type { Logger } from '../log.js';
import type { ClassicDestination } from './destination.js';
import type { Exporter as ExporterFacts } from './filler.js';
import type { Format } from './format.js';
import { Health, type HealthStatus } from './health.js';
import { ipfix } from './ipfix.js';
import { netflow9 } from './netflow9.js';
import type { FlowRecord } from './record.js';
import { Session } from './session.js';
import { fieldsOf, shapeIn, type Shape, type Specification } from './specification.js';
import type { Field } from './template.js';
import { FileTransport } from './transport/file.js';
import { StreamTransport, type TlsFiles } from './transport/stream.js';
import type { Transport } from './transport/transport.js';
import { UdpTransport } from './transport/udp.js';

/** How the export to one collector goes. Counts are since the start of the agent. */
export interface ExporterStatus extends HealthStatus {
  /** The destination as it was configured. */
  readonly name: string;
  readonly format: 'IPFIX' | 'NETFLOW_V9' | 'TLV' | 'JSON';
  readonly transport: 'UDP' | 'TCP' | 'TLS' | 'FILE' | 'ZMQ';
  readonly sentRecords: number;
  readonly sentMessages: number;
  readonly sentOctets: number;
  /** Flow records that were not sent, and the IP packets and octets that they tell of. */
  readonly notSentRecords: number;
  readonly notSentPackets: number;
  readonly notSentOctets: number;
  /** Octets of messages that wait. */
  readonly queuedBytes: number;
  readonly templates: number;
  /** How often it came up: connections, files, subscriptions. */
  readonly sessions: number;
}

const FORMATS = { IPFIX: ipfix, NETFLOW_V9: netflow9 } as const;

export class Exporter {
  /** What its records may tell. */
  readonly fields: readonly Field[];
  /** How many records tell of an interval. */
  readonly shape: Shape;
  private readonly format: Format;
  private readonly transport: Transport;
  private readonly session: Session;
  private readonly health: Health;

  constructor(
    private readonly destination: ClassicDestination,
    specification: Specification,
    config: Pick<Config, 'export' | 'flows'>,
    facts: ExporterFacts,
    tls: TlsFiles | null,
    private readonly log: Logger,
  ) {
    this.health = new Health(destination.name, log);
    this.format = FORMATS[destination.format];
    this.fields = fieldsOf(specification, this.format);
    this.shape = shapeIn(specification, this.fields);
    this.transport = transportTo(destination, config.export, tls);
    const { templateRefreshMs, templateRefreshPackets, statisticsIntervalMs, maxDelayMs } = config.export;
    this.session = new Session({
      ...{ format: this.format, fields: this.fields, transport: this.transport },
      ...{ templateRefreshMs, templateRefreshPackets, statisticsIntervalMs, maxDelayMs },
      domain: facts.domain,
      bootMs: facts.bootMs,
      timeouts: {
        active: Math.ceil(config.flows.activeTimeoutMs / 1000),
        idle: Math.ceil(config.flows.idleTimeoutMs / 1000),
      },
      nowMs: () => Date.now(),
    });
  }

  /** Resolves when it was up, or had failed, for the first time. */
  get tried(): Promise<void> {
    return this.health.tried;
  }

  start(): void {
    this.transport.start({
      up: () => {
        this.health.become('UP');
        this.log.info(`export to ${this.destination.name}: ready`);
        this.session.up();
      },
      down: (error) => {
        this.health.become('DOWN');
        this.session.down();
        if (error !== null) this.health.failed(error);
      },
      failed: (error) => this.health.failed(error),
      lost: (contents) => this.session.lost(contents),
    });
  }

  take(record: FlowRecord): void {
    this.session.take(record);
  }

  tick(): void {
    this.session.tick();
  }

  async close(): Promise<void> {
    await this.session.close();
  }

  get status(): ExporterStatus {
    const { name, format } = this.destination;
    const { totals, notSent } = this.session.ledger;
    return {
      ...{ name, format, transport: this.transport.name, ...this.health.status },
      sentRecords: totals.flowRecords,
      sentMessages: totals.messages,
      sentOctets: totals.octets,
      notSentRecords: notSent.flows,
      notSentPackets: notSent.packets,
      notSentOctets: notSent.octets,
      queuedBytes: this.transport.queuedBytes,
      templates: this.session.templateCount,
      sessions: this.session.sessions,
    };
  }
}

function transportTo(destination: ClassicDestination, config: Config['export'], tls: TlsFiles | null): Transport {
  const { queueBytes, reconnectMs, connectTimeoutMs, mtu, fileMaxBytes, fileKeep } = config;
  const { transport } = destination;
  switch (transport) {
    case 'UDP':
      return new UdpTransport({ ...hostOf(destination), mtu, retryMs: reconnectMs });
    case 'TCP':
      return new StreamTransport({ ...hostOf(destination), queueBytes, reconnectMs, connectTimeoutMs, tls: null });
    case 'TLS':
      return new StreamTransport({ ...hostOf(destination), queueBytes, reconnectMs, connectTimeoutMs, tls });
    case 'FILE':
      return new FileTransport({
        ...{ path: destination.path, maxBytes: fileMaxBytes, keep: fileKeep },
        ...{ queueBytes, retryMs: reconnectMs },
      });
    default:
      return unreachable(transport);
  }
}

function hostOf({ host, port }: { readonly host: string; readonly port: number }): { host: string; port: number } {
  return { host, port };
}
