/**
 * Writes the TypeScript types of the GraphQL schema. `node scripts/codegen.mjs` after a change of schema/; a test compares
 * what is committed with what this makes.
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { codegen } from '@graphql-codegen/core';
import * as typescript from '@graphql-codegen/typescript';
import * as resolvers from '@graphql-codegen/typescript-resolvers';
import { parse } from 'graphql';

const ROOT = join(import.meta.dirname, '..');
export const TARGET = join(ROOT, 'src/api/graphql/schema.generated.ts');

const MODEL = '../../correlate/model.js';
const OURS = './mapped.js';
const CONFIG = {
  useTypeImports: true,
  enumsAsTypes: true,
  strictScalars: true,
  avoidOptionals: { field: true, object: true },
  immutableTypes: true,
  contextType: `${OURS}#RequestContext`,
  scalars: {
    ID: 'string',
    DateTime: { input: '../query/index.js#TimeArgument', output: 'number' },
    Long: 'number',
  },
  // Resolvers get and give the objects of the live state, not copies in the schema's shape.
  mappers: {
    Flow: `${MODEL}#Flow as LiveFlow`,
    Endpoint: `${MODEL}#Endpoint as LiveEndpoint`,
    Traffic: `${MODEL}#Traffic as LiveTraffic`,
    Application: `${MODEL}#Application as LiveApplication`,
    Exchange: '../../correlate/exchange.js#Exchange as LiveExchange',
    Thread: '../../correlate/exchange.js#Thread as LiveThread',
    ExchangeNote: '../../correlate/exchange.js#ExchangeNoteCode as LiveExchangeNoteCode',
    Usage: '../../correlate/usage.js#Usage as LiveUsage',
    TimeWindow: `${OURS}#TimeWindowView`,
    ProcessUsage: '../../correlate/live-state.js#ProcessUsage as LiveProcessUsage',
    Process: `${MODEL}#Process as LiveProcess`,
    ProcessShare: `${MODEL}#ProcessShare as LiveProcessShare`,
    Image: `${MODEL}#Image as LiveImage`,
    Container: `${MODEL}#Container as LiveContainer`,
    User: `${MODEL}#User as LiveUser`,
    FlowNote: `${MODEL}#FlowNoteCode as LiveFlowNoteCode`,
    Host: `${OURS}#HostView`,
    Exporter: '../../export/index.js#ExporterStatus',
    Tier: '../../correlate/live-state.js#HostTier',
    Governor: '../../correlate/live-state.js#Governor as LiveGovernor',
    ProgramCost: '../../correlate/live-state.js#ProgramCost as LiveProgramCost',
    ShedSpan: '../../correlate/live-state.js#ShedSpan as LiveShedSpan',
    FlowTotal: '../query/index.js#FlowTotal as FlowTotalRow',
    Usage: '../../correlate/usage.js#Usage as LiveUsage',
    TimeWindow: `${OURS}#TimeWindowView`,
    NetworkUsage: '../query/index.js#NetworkUsage as NetworkUsageView',
    Series: '../query/index.js#SeriesRow',
    SeriesList: '../query/index.js#SeriesList as SeriesListView',
    TimeSeries: '../query/index.js#TimeSeries as TimeSeriesView',
    SeriesValues: '../../correlate/series/values.js#SeriesValues as LiveSeriesValues',
    ContainerConnection: `${OURS}#ContainerPage`,
    Samples: `${OURS}#SampleList`,
    Sample: '../stream/index.js#Sample as LiveSample',
    FlowConnection: `${OURS}#FlowPage`,
    ProcessConnection: `${OURS}#ProcessPage`,
    ExchangeConnection: `${OURS}#ExchangePage`,
    UserConnection: `${OURS}#UserPage`,
    PageInfo: `${OURS}#AnyPage`,
    FlowEvents: `${OURS}#EventList`,
    ProcessEvents: `${OURS}#EventList`,
    ExchangeEvents: `${OURS}#EventList`,
    FlowEvent: `${OURS}#FlowEventView`,
    ProcessEvent: `${OURS}#ProcessEventView`,
    ExchangeEvent: `${OURS}#ExchangeEventView`,
  },
};

/** The text of the generated file. */
export async function generate() {
  const directory = join(ROOT, 'schema');
  const files = readdirSync(directory)
    .filter((file) => file.endsWith('.graphql'))
    .sort();
  const sdl = files.map((file) => readFileSync(join(directory, file), 'utf8')).join('\n');
  const body = await codegen({
    filename: TARGET,
    schema: parse(sdl),
    documents: [],
    config: CONFIG,
    plugins: [{ typescript: {} }, { resolvers: {} }],
    pluginMap: { typescript, resolvers },
  });
  return `// Made by scripts/codegen.mjs from schema/*.graphql; do not edit.\n${body}\n`;
}

if (process.argv[1] === import.meta.filename) writeFileSync(TARGET, await generate());
