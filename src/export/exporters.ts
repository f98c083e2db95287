/** All collectors: meters flows once and hands the records to each. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { networkInterfaces, uptime } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../config/index.js';
import type { HostFacts, LiveState } from '../correlate/index.js';
import { ProcflowError } from '../errors.js';
import type { Logger } from '../log.js';
import { parseDestination } from './destination.js';
import { Exporter, type ExporterStatus } from './exporter.js';
import { Filler, type Exporter as ExporterFacts } from './filler.js';
import { DEFAULT_TEMPLATE, NTOPNG_TEMPLATE } from './macros.js';
import { FlowMeter } from './meter.js';
import type { FlowRecord } from './record.js';
import { parseSpecification, type Shape } from './specification.js';
import type { TlsFiles } from './transport/stream.js';
import { activeTimeoutFor } from './zmq/dialect.js';
import { isZmq } from './zmq/endpoint.js';
import { ZmqExporter } from './zmq/exporter.js';
import { surroundingsOf } from './zmq/surroundings.js';

export interface ExportersOptions {
  readonly config: Pick<Config, 'export' | 'flows'>;
  readonly state: LiveState;
  readonly host: Pick<HostFacts, 'id' | 'name'>;
  readonly log: Logger;
}

interface Filling {
  readonly filler: Filler;
  readonly take: (record: FlowRecord) => void;
}

const SHAPES: readonly Shape[] = ['uniflow', 'biflow', 'both'];
const TICK_MS = 250;
const TURN_MS = 5;

export class Exporters {
  private readonly exporters: readonly (Exporter | ZmqExporter)[];
  private readonly meter: FlowMeter;
  private ticks: NodeJS.Timeout | undefined;
  private unsubscribe: (() => void) | undefined;

  /** @throws ProcflowError CONFIG_INVALID when a file for TLS cannot be read or is missing */
  constructor(private readonly options: ExportersOptions) {
    const { host, log, state } = options;
    const config = withTimeouts(options.config);
    const { template, biflow } = config.export;
    const specification = parseSpecification(template, biflow);
    const forNtopng = parseSpecification(template === DEFAULT_TEMPLATE ? NTOPNG_TEMPLATE : template);
    const facts = exporterFacts(host, config.export.domain);
    const version = config.export.version === 9 ? 9 : 10;
    this.exporters = [...new Set(config.export.to)].map((text) => {
      const destination = parseDestination(text, version);
      if (destination.transport === 'ZMQ') {
        const around = surroundingsOf(config.flows, state, facts, log);
        return new ZmqExporter(destination, forNtopng, config.export, around);
      }
      const tls = destination.transport === 'TLS' ? readTls(config.export.tls) : null;
      return new Exporter(destination, specification, config, facts, tls, log);
    });
    const fillings = SHAPES.flatMap((shape) => this.filling(shape, facts));
    this.meter = new FlowMeter(config.flows, (interval) => {
      for (const { filler, take } of fillings) filler.fill(interval, take);
    });
  }

  /** TCP ports that collectors connect to: traffic of ours, as that of the API is. */
  get ownPorts(): number[] {
    return this.exporters.flatMap((exporter) =>
      exporter instanceof ZmqExporter && exporter.port !== null ? [exporter.port] : [],
    );
  }

  /** Exports what is told from now on. */
  start(): void {
    if (this.exporters.length === 0) return;
    this.unsubscribe = this.options.state.subscribe((fact) => this.meter.take(fact));
    for (const exporter of this.exporters) exporter.start();
    this.ticks = setInterval(() => this.tick(), TICK_MS);
  }

  /**
   * Resolves when every collector was reached, or was not, for the first time, and what it is told at first has left; or
   * when the time is over.
   */
  async tried(mostMs: number): Promise<void> {
    const end = performance.now() + mostMs;
    await Promise.race([
      delay(mostMs, undefined, { ref: false }),
      Promise.all(this.exporters.map(({ tried }) => tried)),
    ]);
    // The caller may keep the event loop busy, and the export time would be wrong.
    while (this.statuses().some(({ queuedBytes }) => queuedBytes > 0) && performance.now() < end) await delay(TURN_MS);
  }

  statuses(): ExporterStatus[] {
    return this.exporters.map(({ status }) => status);
  }

  /** Sends what is left, and closes; the state has told its last facts by then. */
  async close(): Promise<void> {
    clearInterval(this.ticks);
    this.unsubscribe?.();
    await Promise.all(this.exporters.map((exporter) => exporter.close()));
  }

  private tick(): void {
    this.meter.tick(this.options.state.nowMicros());
    for (const exporter of this.exporters) this.guard(() => exporter.tick());
  }

  /** What makes records of a shape, and who takes them; nothing when nobody does. */
  private filling(shape: Shape, facts: ExporterFacts): Filling[] {
    const takers = this.exporters.filter((exporter) => exporter.shape === shape);
    if (takers.length === 0) return [];
    const fields = takers.flatMap((exporter) => exporter.fields);
    const take = (record: FlowRecord): void => {
      for (const exporter of takers) this.guard(() => exporter.take(record));
    };
    return [{ filler: new Filler(this.options.state, facts, shape, fields), take }];
  }

  /** A fault of ours in one exporter must reach neither the others nor the correlator. */
  private guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.options.log.error({ err: error }, 'an exporter failed by our fault');
    }
  }
}

/** As often as ntopng must hear of a long flow, when it is to: flows are metered once for all. */
function withTimeouts(config: ExportersOptions['config']): ExportersOptions['config'] {
  if (!config.export.to.some(isZmq)) return config;
  const { zmq } = config.export;
  const activeTimeoutMs = activeTimeoutFor(zmq, config.flows.activeTimeoutMs);
  return { ...config, flows: { ...config.flows, activeTimeoutMs } };
}

function exporterFacts({ id, name }: Pick<HostFacts, 'id' | 'name'>, domain: number): ExporterFacts {
  const sourceId = createHash('sha256').update(id).digest().readUInt32BE(0) || 1;
  return {
    hostName: name,
    hostId: id,
    ipv4: ownAddress('IPv4'),
    ipv6: ownAddress('IPv6'),
    sourceId,
    domain: domain === 0 ? sourceId : domain,
    bootMs: Math.floor(Date.now() - uptime() * 1000),
  };
}

/** One that others can reach; link-local ones mean nothing elsewhere. */
function ownAddress(family: 'IPv4' | 'IPv6'): string | null {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const mine = all.find((one) => one.family === family && !one.internal && !one.address.startsWith('fe80:'));
  return mine?.address ?? null;
}

function readTls({ ca, cert, key }: Config['export']['tls']): TlsFiles {
  if (cert === null || key === null) {
    throw new ProcflowError(
      'CONFIG_INVALID',
      'ipfix+tls:// needs a certificate and its key: set export.tls.cert and export.tls.key',
    );
  }
  return { ca: ca === null ? null : readPem('ca', ca), cert: readPem('cert', cert), key: readPem('key', key) };
}

function readPem(name: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new ProcflowError('CONFIG_INVALID', `export.tls.${name}: ${(error as Error).message}`, { cause: error });
  }
}
