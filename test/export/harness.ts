/** All of the exporters over a fake state, towards real collectors. */
import { after } from 'node:test';
import { loadConfig, type Config } from '../../src/config/index.js';
import type { Flow } from '../../src/correlate/index.js';
import { Exporters } from '../../src/export/index.js';
import type { ExporterStatus } from '../../src/export/index.js';
import { createLog } from '../../src/log.js';
import { FakeState } from '../api/fake-state.js';
import { eventually } from '../system/harness/eventually.js';

const MACHINE = { root: false, home: '/nonexistent', runtimeDirectory: undefined, terminal: false };

export class ExportHarness {
  readonly state = new FakeState();
  readonly logged: string[] = [];
  readonly exporters: Exporters;
  private readonly curl = this.state.addProcess({ name: 'curl', pid: 4242 });
  private readonly nginx = this.state.addProcess({ name: 'nginx', pid: 4019, uid: 33 });
  private isClosed = false;

  constructor(settings: Readonly<Record<string, string>>) {
    const log = createLog({ level: 'info', format: 'json' }, { write: (line) => void this.logged.push(line) });
    const config = configOf(settings);
    this.exporters = new Exporters({ config, state: this.state, host: { id: 'h_test', name: 'testhost' }, log });
    this.exporters.start();
    after(() => this.close());
  }

  /** Ends `count` flows between two local processes: each makes two records. */
  flows(count: number): void {
    for (let i = 0; i < count; i++) {
      const flow = this.state.start({ client: this.curl, server: this.nginx });
      fillCounts(flow);
      this.state.end(flow);
    }
  }

  status(index = 0): ExporterStatus {
    const status = this.exporters.statuses()[index];
    if (status === undefined) throw new Error(`there is no exporter ${index}`);
    return status;
  }

  async up(index = 0): Promise<void> {
    await eventually(() => {
      const { state, lastError } = this.status(index);
      if (state !== 'UP') throw new Error(`it is ${state}: ${lastError ?? 'no error'}`);
    });
  }

  /** Until an exporter has failed in a way that the pattern describes. */
  async failed(pattern: RegExp, index = 0): Promise<void> {
    await eventually(() => {
      const { lastError } = this.status(index);
      if (lastError === null || !pattern.test(lastError)) throw new Error(`its last error is ${String(lastError)}`);
    });
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    await this.exporters.close();
  }
}

function fillCounts(flow: Flow): void {
  Object.assign(flow.client, { octets: 500, packets: 5 });
  Object.assign(flow.server, { octets: 900, packets: 9 });
}

function configOf(settings: Readonly<Record<string, string>>): Config {
  const flags = Object.entries(settings).map(([key, text]) => ({ key, text, origin: key }));
  return loadConfig({ file: undefined, env: {}, flags, machine: MACHINE });
}
