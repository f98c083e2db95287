/** The three descriptions of one grammar agree: the tables in src/api/query, schema/*.graphql and openapi.yaml. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { getNamedType, isEnumType, isInputObjectType, isObjectType } from 'graphql';
import { parse } from 'yaml';
import { loadSchema } from '../../src/api/graphql/schema.js';
import {
  EXCHANGE_FIELDS,
  EXCHANGE_ORDERS,
  CONTAINER_FIELDS,
  CONTAINER_ORDERS,
  FLOW_DIMENSIONS,
  FLOW_FIELDS,
  FLOW_MEASURES,
  FLOW_ORDERS,
  PROCESS_FIELDS,
  PROCESS_ORDERS,
  USAGE_MEASURES,
  SERIES_DIMENSIONS,
  SERIES_MEASURES,
  SERIES_VALUES,
  USER_FIELDS,
  USER_ORDERS,
  type FilterField,
} from '../../src/api/query/index.js';
import { camelCase, constantCase, grammarNames } from '../../src/api/rest/grammar.js';
import { loadSpec } from '../../src/api/rest/spec.js';
import { packageRoot } from '../../src/api/root.js';
import { EXCHANGE_NOTE_TEXTS, NOTE_TEXTS } from '../../src/api/graphql/note-texts.js';

const schema = loadSchema();
const spec = loadSpec();
type Fields = readonly FilterField<never>[];
const TABLES: readonly [input: string, fields: Fields, operations: string[]][] = [
  ['FlowFilter', FLOW_FIELDS, ['listFlows', 'streamFlows', 'listProcessFlows', 'getTotals']],
  ['ExchangeFilter', EXCHANGE_FIELDS, ['listExchanges', 'listFlowExchanges', 'streamExchanges']],
  ['ProcessFilter', PROCESS_FIELDS, ['listProcesses', 'streamProcesses', 'streamSamples', 'listSeries']],
  ['UserFilter', USER_FIELDS, ['listUsers']],
  ['ContainerFilter', CONTAINER_FIELDS, ['listContainers']],
];

for (const [input, fields, operations] of TABLES) {
  test(`the table of ${input} is that of the GraphQL input`, () => {
    const type = schema.getType(input);
    assert.ok(isInputObjectType(type));
    const kinds = Object.values(type.getFields()).map((field) => [field.name, getNamedType(field.type).name] as const);
    const expected = fields.map((field) => {
      if (field.kind === 'Enum') return [field.name, field.type];
      if (field.kind === 'Minimum') return [field.name, 'Float'];
      return [field.name, field.kind === 'Boolean' ? 'Boolean' : `${field.kind}Filter`];
    });
    assert.deepEqual(
      new Map(kinds.filter(([name]) => !['and', 'or', 'not'].includes(name))),
      new Map(expected as [string, string][]),
    );
    for (const field of fields) {
      if (field.kind !== 'Enum') continue;
      const values = schema.getType(field.type);
      assert.ok(isEnumType(values));
      assert.deepEqual(
        values.getValues().map(({ name }) => name),
        [...field.values],
      );
    }
  });

  for (const id of operations) {
    test(`the query parameters of ${id} are those of the table, no more and no less`, () => {
      const operation = spec.operations.find((candidate) => candidate.id === id);
      assert.ok(operation);
      const own = [
        'from',
        'to',
        'at',
        'orderBy',
        'pageSize',
        'pageToken',
        'fields',
        'format',
        'pretty',
        'groupBy',
        'events',
        'windowMs',
        'intervalMs',
        'stepMs',
      ];
      const given = [...operation.query.keys()].filter((name) => !own.includes(name)).sort();
      assert.deepEqual(given, grammarNames(fields).sort());
      for (const field of fields) {
        if (field.kind === 'Enum')
          assert.deepEqual(operation.query.get(field.name)?.schema.items?.enum, [...field.values]);
      }
    });
  }
}

test('orders, dimensions and measures have the same names everywhere', () => {
  const names = (type: string): string[] => {
    const found = schema.getType(type);
    assert.ok(isEnumType(found));
    return found.getValues().map(({ name }) => name);
  };
  const values = (id: string, parameter: string): readonly string[] => {
    const found = spec.operations.find((operation) => operation.id === id)?.query.get(parameter)?.schema;
    return found?.enum ?? found?.items?.enum ?? [];
  };
  const cases: readonly [string, readonly { name: string }[], string][] = [
    ['FlowOrderField', FLOW_ORDERS, 'listFlows'],
    ['ProcessOrderField', PROCESS_ORDERS, 'listProcesses'],
    ['ExchangeOrderField', EXCHANGE_ORDERS, 'listExchanges'],
    ['UserOrderField', USER_ORDERS, 'listUsers'],
    ['ContainerOrderField', CONTAINER_ORDERS, 'listContainers'],
  ];
  for (const [type, orders, id] of cases) {
    const own = orders.map(({ name }) => name);
    assert.deepEqual(names(type), own);
    assert.deepEqual(
      values(id, 'orderBy'),
      own.map(camelCase).flatMap((name) => [name, `${name}:asc`, `${name}:desc`]),
    );
  }
  assert.deepEqual(names('FlowDimension'), [...FLOW_DIMENSIONS]);
  assert.deepEqual(names('FlowMeasure'), [...FLOW_MEASURES]);
  assert.deepEqual(values('getTotals', 'groupBy').map(constantCase), [...FLOW_DIMENSIONS]);
  assert.deepEqual(values('getTotals', 'orderBy').map(constantCase), [...FLOW_MEASURES]);
  assert.deepEqual(names('SeriesDimension'), [...SERIES_DIMENSIONS]);
  assert.deepEqual(names('SeriesMeasure'), SERIES_MEASURES);
  assert.deepEqual(values('listSeries', 'groupBy').map(constantCase), [...SERIES_DIMENSIONS]);
  assert.deepEqual(values('listSeries', 'orderBy').map(constantCase), SERIES_MEASURES);
  const series = schema.getType('SeriesValues');
  assert.ok(isObjectType(series));
  assert.deepEqual(Object.keys(series.getFields()), SERIES_VALUES);
  assert.deepEqual(names('FlowNoteCode'), Object.keys(NOTE_TEXTS));
  assert.deepEqual(names('ExchangeNoteCode'), Object.keys(EXCHANGE_NOTE_TEXTS));
  assert.deepEqual(names('UsageMeasure'), [...USAGE_MEASURES]);
});

test('every property and parameter of openapi.yaml is described', () => {
  const document = parse(spec.text, { maxAliasCount: -1 }) as {
    components: { schemas: Record<string, Described>; parameters: Record<string, Described> };
  };
  interface Described {
    description?: string;
    properties?: Record<string, Described>;
    items?: Described;
  }
  const bare: string[] = [];
  const visit = (path: string, { properties = {}, items }: Described): void => {
    for (const [name, property] of Object.entries(properties)) {
      if (!property.description) bare.push(`${path}.${name}`);
      visit(`${path}.${name}`, property);
    }
    if (items) visit(path, items);
  };
  for (const [name, component] of Object.entries(document.components.schemas)) {
    if (!component.description) bare.push(name);
    visit(name, component);
  }
  for (const [name, parameter] of Object.entries(document.components.parameters))
    if (!parameter.description) bare.push(name);
  assert.deepEqual(bare, []);
});

test('a REST property is the GraphQL field of the same name', () => {
  for (const name of [
    'Flow',
    'Endpoint',
    'Traffic',
    'Application',
    'ProcessShare',
    'Exchange',
    'Thread',
    'ExchangeNote',
    'ProcessUsage',
    'Usage',
    'TimeWindow',
    'Process',
    'Image',
    'Container',
    'User',
    'FlowTotal',
    'TrafficSum',
    'Host',
    'Tier',
    'Loss',
    'Usage',
    'TimeWindow',
    'NetworkUsage',
    'Series',
    'SeriesList',
    'TimeSeries',
    'SeriesValues',
    'Sample',
  ]) {
    const type = schema.getType(name);
    assert.ok(type && 'getFields' in type);
    // Lists of their own in REST.
    const lists = ['Process', 'User', 'Container', 'Host'].includes(name)
      ? ['children', 'flows', 'processes', 'series']
      : ['Flow'].includes(name)
        ? ['exchanges']
        : [];
    const fields = Object.keys(type.getFields()).filter((field) => !lists.includes(field));
    const document = parse(spec.text, { maxAliasCount: -1 }) as {
      components: { schemas: Record<string, { properties: object }> };
    };
    assert.deepEqual(Object.keys(document.components.schemas[name]?.properties ?? {}).sort(), fields.sort(), name);
  }
});

test('the generated types are those of the schema', async () => {
  const { generate, TARGET } = (await import(join(packageRoot(), 'scripts/codegen.mjs'))) as {
    generate: () => Promise<string>;
    TARGET: string;
  };
  assert.equal(await generate(), readFileSync(TARGET, 'utf8'), 'run: node scripts/codegen.mjs');
});
