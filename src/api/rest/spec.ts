import { invariant } from '../../errors.js';
import { readShipped } from '../root.js';

/** The parts of JSON Schema that parameters of openapi.yaml use. */
export interface ParameterSchema {
  readonly type: 'array' | 'string' | 'integer' | 'number' | 'boolean';
  readonly items?: ParameterSchema;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
  /** `time`: RFC 3339, Unix seconds or a time before now; `fields`: paths of an answer. */
  readonly format?: string;
  readonly default?: unknown;
}

export interface Parameter {
  readonly name: string;
  readonly in: 'query' | 'path' | 'header';
  readonly required?: boolean;
  readonly schema: ParameterSchema;
}

/** One operation of openapi.yaml, with its references resolved. */
export interface SpecOperation {
  readonly id: string;
  readonly path: string;
  readonly query: ReadonlyMap<string, Parameter>;
}

interface SpecDocument {
  readonly paths: Readonly<Record<string, PathItem>>;
  readonly components: {
    readonly parameters: Readonly<Record<string, Parameter>>;
    readonly schemas: Readonly<Record<string, Schema>>;
  };
}
interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly oneOf?: readonly Schema[];
}
type Ref = { readonly $ref: string } | Parameter;
interface PathItem {
  readonly parameters?: readonly Ref[];
  readonly get?: { readonly operationId: string; readonly parameters?: readonly Ref[] };
}

/** openapi.yaml: the text that is served, and the operations that requests are validated by. */
export interface Spec {
  readonly text: string;
  readonly operations: readonly SpecOperation[];
  /** What an answer of this schema may hold, for `fields` and for the columns of CSV. */
  pathsOf(schema: string): AnswerPaths;
}

export interface AnswerPaths {
  /** Every property, by its path: `client`, `client.port`. */
  readonly all: ReadonlySet<string>;
  /** Those that are a single value or a list of single values. */
  readonly leaves: readonly string[];
}

export function loadSpec(): Spec {
  const text = readShipped('openapi.yaml');
  // Made of the text by the build.
  const document = JSON.parse(readShipped('dist/openapi.json')) as SpecDocument;
  const operations = Object.entries(document.paths).flatMap(([path, item]): SpecOperation[] => {
    if (item.get === undefined) return [];
    const parameters = [...(item.parameters ?? []), ...(item.get.parameters ?? [])].map((ref) =>
      resolve(document, ref),
    );
    const query = parameters.filter((parameter) => parameter.in === 'query');
    return [{ id: item.get.operationId, path, query: new Map(query.map((parameter) => [parameter.name, parameter])) }];
  });
  return { text, operations, pathsOf: (schema) => pathsOf(document, schema) };
}

function resolve(document: SpecDocument, ref: Ref): Parameter {
  if (!('$ref' in ref)) return ref;
  const name = ref.$ref.replace('#/components/parameters/', '');
  const found = document.components.parameters[name];
  invariant(found, `openapi.yaml has the parameter ${name}`);
  return found;
}

function pathsOf(document: SpecDocument, name: string): AnswerPaths {
  const all = new Set<string>();
  const leaves: string[] = [];
  const walk = (schema: Schema, prefix: string, isInList: boolean): void => {
    const { properties, items } = resolveSchema(document, schema);
    if (items !== undefined) {
      const isListOfObjects = resolveSchema(document, items).properties !== undefined;
      if (isListOfObjects) walk(items, prefix, true);
      else if (!isInList) leaves.push(prefix);
      return;
    }
    if (properties === undefined) {
      if (!isInList) leaves.push(prefix);
      return;
    }
    for (const [property, inner] of Object.entries(properties)) {
      const path = prefix === '' ? property : `${prefix}.${property}`;
      all.add(path);
      walk(inner, path, isInList);
    }
  };
  walk({ $ref: `#/components/schemas/${name}` }, '', false);
  return { all, leaves };
}

/** Follows references, and takes the object of `oneOf: [object, null]`. */
function resolveSchema(document: SpecDocument, schema: Schema): Schema {
  const inner = schema.oneOf?.find(({ type }) => type !== 'null');
  if (inner !== undefined) return resolveSchema(document, inner);
  if (schema.$ref === undefined) return schema;
  const found = document.components.schemas[schema.$ref.replace('#/components/schemas/', '')];
  invariant(found, `openapi.yaml has ${schema.$ref}`);
  return resolveSchema(document, found);
}
