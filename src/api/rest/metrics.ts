import type { ExporterStatus } from '../../export/index.js';
import type { HostView } from '../graphql/mapped.js';
import type { RequestCounts } from '../http/request-counts.js';

/** The agent's own metrics as Prometheus reads them. Low cardinality: nothing by flow, process or user. */
export function metricsText(host: HostView, requests: RequestCounts): string {
  const text = new Exposition();
  text.gauge('procflow_info', 'What runs here.', [
    [{ version: host.agentVersion, source: host.source, kernel: host.kernel }, 1],
  ]);
  text.gauge('procflow_start_time_seconds', 'Unix time of the start of the agent.', [[{}, host.startMicros / 1e6]]);
  text.gauge(
    'procflow_tier_on',
    'Whether a tier of capture is on.',
    host.tiers.map(({ name, state }) => [{ tier: name }, state === 'ON' ? 1 : 0]),
  );
  text.gauge('procflow_flows_live', 'Flows that live now.', [[{}, host.liveFlows]]);
  text.gauge('procflow_flows_ended_kept', 'Ended flows that are still remembered.', [[{}, host.endedFlows]]);
  text.counter('procflow_flows_started_total', 'Flows that started.', [[{}, host.flowsStarted]]);
  text.counter('procflow_flows_ended_total', 'Flows that ended.', [[{}, host.flowsEnded]]);
  text.gauge('procflow_exchanges_live', 'Exchanges that last now.', [[{}, host.liveExchanges]]);
  text.gauge('procflow_exchanges_ended_kept', 'Ended exchanges that are still remembered.', [
    [{}, host.endedExchanges],
  ]);
  text.counter('procflow_exchanges_started_total', 'Exchanges that started.', [[{}, host.exchangesStarted]]);
  text.counter('procflow_exchanges_ended_total', 'Exchanges that ended.', [[{}, host.exchangesEnded]]);
  text.gauge('procflow_processes_live', 'Processes that live now.', [[{}, host.liveProcesses]]);
  text.counter(
    'procflow_lost_total',
    'What was lost, by place.',
    host.losses.map(({ place, count }) => [{ place }, count]),
  );
  text.counter(
    'procflow_program_runs_total',
    'Runs of each program in the kernel.',
    Object.entries(host.programRuns).map(([program, runs]) => [{ program }, runs]),
  );
  governorMetrics(text, host);
  text.counter('procflow_agent_cpu_seconds_total', "CPU time of the agent's user space.", [
    [{}, host.agentCpuTimeMs / 1000],
  ]);
  text.gauge('procflow_agent_memory_bytes', 'Resident memory of the agent.', [[{}, host.agentMemoryBytes]]);
  text.gauge('procflow_poll_seconds', 'Duration of the last reading of live sockets.', known(host.lastPollMs));
  text.gauge('procflow_poll_interval_seconds', 'Interval at which live sockets are read.', known(host.pollIntervalMs));
  exporterMetrics(text, host.exporters);
  text.gauge('procflow_subscribers', 'Subscribers of events.', [[{}, host.subscribers]]);
  text.counter('procflow_requests_total', 'Requests answered, by operation and class of status.', requests.samples());
  return text.toString();
}

/** What the programs in the kernel cost, in seconds and parts of a core. */
function governorMetrics(text: Exposition, { governor, tiers }: HostView): void {
  if (governor === null) return;
  const { budgetPercent, loadPercent, programs } = governor;
  text.gauge(
    'procflow_governor_budget_ratio',
    'What the programs in the kernel may take of one core; 0 for no limit.',
    [[{}, budgetPercent / 100]],
  );
  text.gauge(
    'procflow_kernel_load_ratio',
    'What the programs in the kernel took of one core in the last second.',
    loadPercent === null ? [] : [[{}, loadPercent / 100]],
  );
  text.gauge(
    'procflow_program_run_seconds',
    'What one run of a program in the kernel takes.',
    programs.flatMap(({ name, costNs }) => (costNs === null ? [] : [[{ program: name }, costNs / 1e9] as const])),
  );
  text.gauge(
    'procflow_tier_shed',
    'Whether a tier of capture is put off to keep the cost within the budget.',
    tiers.map(({ name, state }) => [{ tier: name }, state === 'SHED' ? 1 : 0]),
  );
}

/** By destination: there are a few, and they come from the configuration. */
function exporterMetrics(text: Exposition, exporters: readonly ExporterStatus[]): void {
  const each = (value: (exporter: ExporterStatus) => number): Sample[] =>
    exporters.map((exporter) => [{ exporter: exporter.name }, value(exporter)]);
  text.gauge(
    'procflow_exporter_up',
    'Whether a collector takes records.',
    each(({ state }) => (state === 'UP' ? 1 : 0)),
  );
  text.counter(
    'procflow_exporter_records_total',
    'Flow records sent.',
    each((exporter) => exporter.sentRecords),
  );
  text.counter(
    'procflow_exporter_messages_total',
    'Messages sent.',
    each((exporter) => exporter.sentMessages),
  );
  text.counter(
    'procflow_exporter_octets_total',
    'Octets of messages sent.',
    each((exporter) => exporter.sentOctets),
  );
  text.counter(
    'procflow_exporter_not_sent_records_total',
    'Flow records not sent, because the collector was down or slow, or what describes them did not fit into a packet.',
    each((exporter) => exporter.notSentRecords),
  );
  text.counter(
    'procflow_exporter_not_sent_packets_total',
    'IP packets that the records not sent tell of.',
    each((exporter) => exporter.notSentPackets),
  );
  text.counter(
    'procflow_exporter_not_sent_octets_total',
    'IP octets that the records not sent tell of.',
    each((exporter) => exporter.notSentOctets),
  );
  text.gauge(
    'procflow_exporter_queued_bytes',
    'Octets of messages that wait.',
    each((exporter) => exporter.queuedBytes),
  );
  text.counter(
    'procflow_exporter_sessions_total',
    'Connections made, files begun, subscriptions.',
    each((exporter) => exporter.sessions),
  );
}

type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];

/** What is unknown has no sample. */
function known(ms: number | null): readonly Sample[] {
  return ms === null ? [] : [[{}, ms / 1000]];
}

class Exposition {
  readonly #lines: string[] = [];

  gauge(name: string, help: string, samples: readonly Sample[]): void {
    this.#family(name, 'gauge', help, samples);
  }

  counter(name: string, help: string, samples: readonly Sample[]): void {
    this.#family(name, 'counter', help, samples);
  }

  toString(): string {
    return `${this.#lines.join('\n')}\n`;
  }

  #family(name: string, type: string, help: string, samples: readonly Sample[]): void {
    if (samples.length === 0) return;
    this.#lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
    for (const [labels, value] of samples) this.#lines.push(`${name}${labelText(labels)} ${value}`);
  }
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escaped(value: string): string {
  return value.replace(/["\\\n]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`));
}
