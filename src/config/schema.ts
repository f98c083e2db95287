import { z } from 'zod';
import { DEFAULT_TEMPLATE } from '../export/macros.js';
import * as kinds from './kinds.js';
import { defaultSocket, defaultTokensFile, type Machine } from './machine.js';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const MIB = 1024 * 1024;

/**
 * The whole configuration. Everything else about it is derived from here: the YAML file's keys, the environment's names,
 * the flags, their help, and `procflow config --print --with-docs`.
 */
export function makeSchema(machine: Machine) {
  return section({
    api: apiSection(machine),
    capture: captureSection(),
    governor: governorSection(),
    flows: flowsSection(),
    processes: processesSection(),
    exchanges: exchangesSection(),
    series: seriesSection(),
    export: exportSection(),
    log: logSection(machine),
  });
}

/** A mapping whose unknown keys are refused; left out or empty, it is made of its defaults. */
function section<S extends z.core.$ZodLooseShape>(shape: S) {
  const expected = 'expected a mapping of keys';
  const mapping = z.strictObject(shape, { error: (issue) => (issue.code === 'invalid_type' ? expected : undefined) });
  // In YAML, a section whose keys are all commented out is null.
  return z.preprocess((value) => value ?? {}, mapping);
}

function apiSection(machine: Machine) {
  return section({
    host: kinds.text('Address to listen on. One that is not loopback needs a token, or the agent refuses to start.', {
      default: '127.0.0.1',
    }),
    port: kinds.integer(
      'TCP port of GraphQL, REST and streams; 0 takes any free one.',
      { min: 0, max: 65535 },
      { default: 7441 },
    ),
    socket: kinds.optionalPath('Unix socket to listen on as well; off for none.', {
      default: defaultSocket(machine),
      // sun_path holds 108 bytes with its ending zero.
      maxBytes: 107,
    }),
    socketGroup: kinds.optionalText('Group that may use the unix socket, besides its owner.', { default: null }),
    tokensFile: kinds.text('File of access tokens, stored hashed.', { default: defaultTokensFile(machine) }),
    allowedHosts: kinds.list(
      'Names accepted in the Host header, besides loopback and the listening address.',
      kinds.name,
      {
        placeholder: 'names',
      },
    ),
    allowedOrigins: kinds.list('Origins of web pages that may use the API.', kinds.name, { placeholder: 'origins' }),
    maxDepth: kinds.integer('Deepest nesting of a GraphQL query.', { min: 1, max: 100 }, { default: 12 }),
    maxCost: kinds.integer(
      'Highest cost of a query: fields times the page sizes above them.',
      { min: 1, max: 100_000_000 },
      { default: 500_000 },
    ),
    maxPageSize: kinds.integer('Most rows of one page.', { min: 1, max: 100_000 }, { default: 10_000 }),
    maxBodyBytes: kinds.bytes('Largest request body.', { min: 1024, max: 64 * MIB }, { default: 256 * 1024 }),
    queryTimeoutMs: kinds.duration('Longest time for one query.', { min: 10, max: 10 * MINUTE_MS }, { default: 5000 }),
    maxConnections: kinds.integer(
      'Most connections at once; the next one is closed.',
      { min: 1, max: 100_000 },
      { default: 4096 },
    ),
    maxSubscriptionsPerConnection: kinds.integer(
      'Most subscriptions on one connection.',
      { min: 1, max: 10_000 },
      { default: 20 },
    ),
    subscriberBufferEvents: kinds.integer(
      'Events kept for a subscriber that reads too slowly; then the oldest are dropped, and it is told how many.',
      { min: 1, max: 1_000_000 },
      { default: 10_000 },
    ),
  });
}

function captureSection() {
  return section({
    source: kinds.choice(
      'Where flows and processes come from; auto takes ebpf when kernel and privileges allow it, else procfs.',
      ['auto', 'ebpf', 'procfs'],
      { default: 'auto' },
    ),
    ringBufferBytes: kinds.bytes(
      'Size of the ring buffer between kernel and agent.',
      { min: 4096, max: 1024 * MIB },
      { default: 16 * MIB, powerOfTwo: true },
    ),
    maxSockets: kinds.integer(
      'Sockets that the kernel side can follow at once.',
      { min: 64, max: 16_777_216 },
      { default: 262_144 },
    ),
    pollIntervalMs: kinds.duration(
      'How often the counters of live flows are read.',
      { min: 10, max: 10 * MINUTE_MS },
      { default: 1000 },
    ),
    messages: kinds.bool('Count each send and receive, per process: exact shares, and all that is not TCP.', {
      default: true,
    }),
    packets: packetsSection(),
    resources: kinds.bool('Read what processes spend, at the edges of flows and at intervals.', { default: true }),
    sampleIntervalMs: kinds.duration(
      'How often it is read what each process has spent.',
      { min: 100, max: 10 * MINUTE_MS },
      { default: 1000 },
    ),
    peakMemory: kinds.bool('Keep the highest memory of processes while flows last; costs something per page fault.', {
      default: true,
    }),
    delayAccounting: kinds.bool(
      'Switch kernel.task_delayacct on while the agent runs: without it I/O wait is not known.',
      { default: true },
    ),
    cgroupRoot: kinds.optionalPath('Mount point of the cgroup v2 hierarchy; off to find it.', { default: null }),
    keepOwnTraffic: kinds.bool("Show the agent's own flows, too.", { default: false }),
    filter: section({
      keep: filterRules('Keep only'),
      drop: filterRules('Leave out'),
      loopback: kinds.bool('Keep flows over the loopback interface.', { default: true, runtime: true }),
    }),
  });
}

/** What the packets tier looks at: conversations in every list that is not empty. */
function packetsSection() {
  return section({
    enabled: kinds.bool('Look at packets: application protocols, TCP flags, octets of each peer of UDP.', {
      default: true,
    }),
    firstPackets: kinds.integer(
      'Packets with payload to look into, of each conversation and direction; 0 for none.',
      { min: 0, max: 64 },
      { default: 8 },
    ),
    bytesPerPacket: kinds.bytes(
      'How much to look at of the payload of such a packet.',
      { min: 64, max: 4096 },
      { default: 2048 },
    ),
    ports: kinds.ports('Look only at packets from or to these ports.', {}),
    cgroups: kinds.list('Look only at packets of sockets made in these cgroups, by path, and below.', kinds.name, {
      placeholder: 'paths',
    }),
    users: kinds.list('Look only at packets of sockets that belong to these users, by name or number.', kinds.user, {
      placeholder: 'users',
    }),
  });
}

function governorSection() {
  return section({
    budgetPercent: kinds.percent(
      'What the kernel programs may take of one core: above it the packets tier is put off, then messages of TCP; 0 for no limit.',
      { default: 1, runtime: true },
    ),
  });
}

/** One side of the filter in the kernel: the values of a list are alternatives, an empty list does not filter. */
function filterRules(verb: 'Keep only' | 'Leave out') {
  const runtime = true;
  return section({
    addresses: kinds.list(`${verb} flows with these addresses or prefixes at either end.`, kinds.addressOrPrefix, {
      placeholder: 'prefixes',
      runtime,
    }),
    ports: kinds.ports(`${verb} flows with these ports at either end; ranges as 8000-8080.`, { runtime }),
    protocols: kinds.list(`${verb} these protocols: ${kinds.PROTOCOLS.join(', ').toLowerCase()}.`, kinds.protocol, {
      placeholder: 'protocols',
      runtime,
    }),
    cgroups: kinds.list(`${verb} processes in these cgroups, by path, and below.`, kinds.name, {
      placeholder: 'paths',
      runtime,
    }),
    users: kinds.list(`${verb} processes of these users, by name or number.`, kinds.user, {
      placeholder: 'users',
      runtime,
    }),
    processes: kinds.list(`${verb} processes with these names.`, kinds.name, { placeholder: 'names', runtime }),
  });
}

function flowsSection() {
  return section({
    idleTimeoutMs: kinds.duration(
      'Silence after which a flow without an end of its own, as of UDP, has ended.',
      { min: 100, max: DAY_MS },
      { default: 30_000 },
    ),
    activeTimeoutMs: kinds.duration(
      'How often a long flow is reported while it lasts.',
      { min: 100, max: DAY_MS },
      { default: 120_000 },
    ),
    keepEndedMs: kinds.duration(
      'How long ended flows stay in memory.',
      { min: 0, max: DAY_MS },
      { default: MINUTE_MS },
    ),
    keepEndedMax: kinds.integer('Most ended flows in memory.', { min: 0, max: 10_000_000 }, { default: 100_000 }),
    maxLive: kinds.integer(
      'Most live flows; beyond, new ones are counted as lost.',
      { min: 1, max: 10_000_000 },
      { default: 1_000_000 },
    ),
  });
}

function processesSection() {
  return section({
    keepExitedMs: kinds.duration(
      'How long exited processes stay in memory.',
      { min: 0, max: DAY_MS },
      { default: MINUTE_MS },
    ),
    keepExitedMax: kinds.integer('Most exited processes in memory.', { min: 0, max: 10_000_000 }, { default: 100_000 }),
    redact: kinds.list(
      'Regular expressions; what they match in a command line is shown as "***". With groups, only what those match.',
      kinds.pattern,
      { placeholder: 'patterns', runtime: true },
    ),
  });
}

function exchangesSection() {
  return section({
    keepEndedMs: kinds.duration(
      'How long ended exchanges stay in memory, as long as their flow does.',
      { min: 0, max: DAY_MS },
      { default: MINUTE_MS },
    ),
    keepEndedMax: kinds.integer('Most ended exchanges in memory.', { min: 0, max: 10_000_000 }, { default: 100_000 }),
    maxLive: kinds.integer(
      'Most exchanges that last; beyond, new ones are counted as lost.',
      { min: 1, max: 10_000_000 },
      { default: 100_000 },
    ),
    queryStrings: kinds.bool("Show what follows the ? of a request's target; it may hold secrets.", {
      default: false,
      runtime: true,
    }),
    redact: kinds.list(
      'Regular expressions; what they match in the target of a request is shown as "***". With groups, only what those match.',
      kinds.pattern,
      { placeholder: 'patterns', runtime: true },
    ),
  });
}

function seriesSection() {
  return section({
    retentionMs: kinds.duration(
      'How long series of usage and traffic stay in memory.',
      { min: 10_000, max: DAY_MS },
      { default: 15 * MINUTE_MS },
    ),
    stepMs: kinds.duration('Length of their shortest step.', { min: 100, max: MINUTE_MS }, { default: 1000 }),
    maxBytes: kinds.bytes(
      'Most memory of all series; beyond, those of exited processes go first, then the oldest of the others.',
      { min: MIB, max: 64 * 1024 * MIB },
      { default: 64 * MIB },
    ),
  });
}

/** Collectors, and what they are told. */
function exportSection() {
  return section({
    to: kinds.list(
      'Collectors to export flows to: ipfix://host:port, ipfix+tcp://, ipfix+tls://, netflow9://, ipfix+file:PATH, zmq://*:port for ntopng.',
      kinds.destination,
      { placeholder: 'urls' },
    ),
    version: kinds.integer(
      'Format for a collector that is given without a scheme: 10 is IPFIX, 9 NetFlow v9.',
      { min: 9, max: 10 },
      { default: 10 },
    ),
    template: kinds.template('What a record tells: elements, as `procflow elements` lists them, and macros.', {
      default: DEFAULT_TEMPLATE,
    }),
    biflow: kinds.bool('One record for both directions of a flow, with reverse elements (RFC 5103); IPFIX only.', {
      default: false,
    }),
    domain: kinds.integer(
      'Observation domain, source id in NetFlow v9; 0 makes one of the id of the host.',
      { min: 0, max: 0xffff_ffff },
      { default: 0 },
    ),
    mtu: kinds.integer('Largest IP packet over UDP.', { min: 576, max: 65_535 }, { default: 1500 }),
    templateRefreshMs: kinds.duration(
      'How often templates are sent again over UDP.',
      { min: 1000, max: DAY_MS },
      { default: 10 * MINUTE_MS },
    ),
    templateRefreshPackets: kinds.integer(
      'Packets with flow records after which templates are sent again over UDP.',
      { min: 1, max: 1_000_000 },
      { default: 20 },
    ),
    statisticsIntervalMs: kinds.duration(
      'How often a collector is told how much it was sent, and what was not.',
      { min: 1000, max: DAY_MS },
      { default: MINUTE_MS },
    ),
    maxDelayMs: kinds.duration(
      'How long a record waits for others to fill its message.',
      { min: 0, max: MINUTE_MS },
      { default: 500 },
    ),
    queueBytes: kinds.bytes(
      'Most memory for messages that one collector is slow to take; beyond, records are counted as not sent.',
      { min: 65_536, max: 1024 * MIB },
      { default: 8 * MIB },
    ),
    reconnectMs: kinds.duration(
      'Least time from one attempt to connect to a collector to the next; it grows while attempts fail.',
      { min: 100, max: DAY_MS },
      { default: MINUTE_MS },
    ),
    connectTimeoutMs: kinds.duration(
      'How long an attempt to connect may take.',
      { min: 100, max: MINUTE_MS },
      { default: 10_000 },
    ),
    fileMaxBytes: kinds.bytes(
      'Size at which a file is complete, renamed after the time, and the next begins.',
      { min: 65_536, max: 64 * 1024 * MIB },
      { default: 64 * MIB },
    ),
    fileKeep: kinds.integer(
      'Complete files to keep; older ones are deleted.',
      { min: 0, max: 100_000 },
      { default: 24 },
    ),
    tls: section({
      ca: kinds.optionalPath("Authorities that collectors' certificates come from (PEM); off for the system's.", {
        default: null,
      }),
      cert: kinds.optionalPath('Certificate to show to collectors (PEM), with its chain.', { default: null }),
      key: kinds.optionalPath('Its private key (PEM).', { default: null }),
    }),
    zmq: section({
      ntopng: kinds.version('The oldest ntopng that is to read it.', ['5.4', '2.0'], { default: '5.4' }),
      format: kinds.choice(
        'Format of flows; auto takes the one that this ntopng reads: tlv, or json for 2.0.',
        ['auto', 'tlv', 'json'],
        {
          default: 'auto',
        },
      ),
      jsonLabels: kinds.bool('Names instead of numbers as keys; in JSON, which it chooses when the format is auto.', {
        default: false,
      }),
      header: kinds.version(
        'Version of the header; auto takes the one that this ntopng reads: 2, or 0 for 2.0.',
        ['auto', '0', '1', '2', '3'],
        {
          default: 'auto',
        },
      ),
      probeMode: kinds.bool('Connect to the endpoints, where ntopng waits, instead of waiting there for ntopng.', {
        default: false,
      }),
      encryptionKey: kinds.curveKey('Public key of ntopng, for encryption; off for none.', { default: null }),
      highWaterMark: kinds.integer(
        'Messages that may wait for one ntopng; beyond, records are counted as not sent.',
        { min: 1, max: 1_000_000 },
        { default: 1000 },
      ),
    }),
  });
}

function logSection(machine: Machine) {
  return section({
    level: kinds.choice('Least serious messages to log.', ['trace', 'debug', 'info', 'warn', 'error', 'silent'], {
      default: 'info',
      runtime: true,
    }),
    format: kinds.choice('Lines for people, or JSON objects for machines. Pretty on a terminal.', ['json', 'pretty'], {
      default: machine.terminal ? 'pretty' : 'json',
    }),
  });
}

type DeepReadonly<T> = T extends readonly (infer E)[]
  ? readonly DeepReadonly<E>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T;

/** The effective configuration: every key has a value. */
export type Config = DeepReadonly<z.output<ReturnType<typeof makeSchema>>>;
