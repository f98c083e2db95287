/**
 * Bounds on what one operation may ask for, checked before it runs. Cost is the number of values that the answer may hold:
 * each field counts once, times the page sizes (`first`) of the lists it is in.
 */
import {
  getNamedType,
  getNullableType,
  isCompositeType,
  isInterfaceType,
  isListType,
  isObjectType,
  Kind,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import { ProcflowError } from '../../errors.js';

export interface QueryLimits {
  readonly maxDepth: number;
  readonly maxCost: number;
  readonly maxPageSize: number;
}

export type Variables = Readonly<Record<string, unknown>>;

/** How many entries are assumed of a list that has no page size: programs of a process, shares of an endpoint. */
const ASSUMED_ENTRIES = 5;
/** How many events are assumed in a window of a subscription. */
const ASSUMED_EVENTS = 100;
/** Deeper values of variables are refused before anything recurses into them. */
const MAX_VARIABLE_DEPTH = 32;

/** @throws ProcflowError QUERY_TOO_DEEP or QUERY_TOO_COMPLEX naming the limit and what was asked for */
export function checkLimits(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Variables,
  limits: QueryLimits,
): void {
  const root = schema.getRootType(operation.operation);
  if (!root) throw new ProcflowError('BAD_USER_INPUT', `there are no ${operation.operation}s here`);
  const { cost, depth } = new Measure(schema, document, operation, variables, limits).of(operation.selectionSet, root);
  if (depth > limits.maxDepth) {
    throw new ProcflowError(
      'QUERY_TOO_DEEP',
      `the query is ${depth} levels deep; at most ${limits.maxDepth} are allowed (api.maxDepth)`,
    );
  }
  if (cost > limits.maxCost) {
    throw new ProcflowError(
      'QUERY_TOO_COMPLEX',
      `the query may return ${cost} values (fields times page sizes); at most ${limits.maxCost} are allowed (api.maxCost): ask for smaller pages or fewer fields`,
    );
  }
}

/** @throws ProcflowError QUERY_TOO_DEEP for values that are nested too deeply to be read safely */
export function checkVariables(variables: unknown): void {
  let level: unknown[] = [variables];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_VARIABLE_DEPTH) {
      throw new ProcflowError('QUERY_TOO_DEEP', `variables are nested more than ${MAX_VARIABLE_DEPTH} levels deep`);
    }
    level = level.flatMap((value): unknown[] =>
      typeof value === 'object' && value !== null ? Object.values(value) : [],
    );
  }
}

interface Size {
  readonly cost: number;
  readonly depth: number;
}

class Measure {
  readonly #fragments = new Map<string, FragmentDefinitionNode>();
  /** Each fragment is measured once: spreads of spreads would else cost exponentially. */
  readonly #measured = new Map<string, Size>();
  readonly #defaults = new Map<string, unknown>();

  constructor(
    private readonly schema: GraphQLSchema,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    private readonly variables: Variables,
    private readonly limits: QueryLimits,
  ) {
    for (const node of document.definitions) {
      if (node.kind === Kind.FRAGMENT_DEFINITION) this.#fragments.set(node.name.value, node);
    }
    for (const { variable, defaultValue } of operation.variableDefinitions ?? []) {
      if (defaultValue?.kind === Kind.INT) this.#defaults.set(variable.name.value, Number(defaultValue.value));
    }
  }

  of(set: SelectionSetNode, parent: GraphQLNamedType): Size {
    let cost = 0;
    let depth = 0;
    for (const selection of set.selections) {
      const size = this.#selection(selection, parent);
      cost += size.cost;
      depth = Math.max(depth, size.depth);
    }
    return { cost, depth };
  }

  #selection(selection: SelectionSetNode['selections'][number], parent: GraphQLNamedType): Size {
    switch (selection.kind) {
      case Kind.FIELD:
        return this.#field(selection, parent);
      case Kind.INLINE_FRAGMENT: {
        const condition = selection.typeCondition && this.schema.getType(selection.typeCondition.name.value);
        return this.of(selection.selectionSet, condition ?? parent);
      }
      case Kind.FRAGMENT_SPREAD:
        return this.#fragment(selection.name.value);
    }
  }

  #fragment(name: string): Size {
    const known = this.#measured.get(name);
    if (known !== undefined) return known;
    const fragment = this.#fragments.get(name);
    const type = fragment && this.schema.getType(fragment.typeCondition.name.value);
    const size = fragment && type ? this.of(fragment.selectionSet, type) : { cost: 0, depth: 0 };
    this.#measured.set(name, size);
    return size;
  }

  #field(node: FieldNode, parent: GraphQLNamedType): Size {
    const name = node.name.value;
    // Introspection answers from the schema alone, which has a fixed size.
    if (name.startsWith('__')) return { cost: 1, depth: 1 };
    const field = isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[name] : undefined;
    if (field === undefined || node.selectionSet === undefined) return { cost: 1, depth: 1 };
    const inner = this.of(node.selectionSet, getNamedType(field.type));
    return { cost: 1 + this.#entries(node, field, parent) * inner.cost, depth: 1 + inner.depth };
  }

  /** How many times what is inside the field may be in the answer. */
  #entries(node: FieldNode, field: GraphQLField<unknown, unknown>, parent: GraphQLNamedType): number {
    const argument = field.args.find(({ name }) => name === 'first' || name === 'ids');
    if (argument !== undefined) {
      const value = this.#argument(node, argument.name) ?? argument.defaultValue;
      const size = Array.isArray(value) ? value.length : typeof value === 'number' ? value : 0;
      return Math.min(Math.max(size, 1), this.limits.maxPageSize);
    }
    if (!isListType(getNullableType(field.type)) || !isCompositeType(getNamedType(field.type))) return 1;
    // A connection's rows were counted where `first` is.
    if (parent.name.endsWith('Connection')) return 1;
    return parent.name.endsWith('Events') ? ASSUMED_EVENTS : ASSUMED_ENTRIES;
  }

  #argument(node: FieldNode, name: string): unknown {
    const value = node.arguments?.find((argument) => argument.name.value === name)?.value;
    switch (value?.kind) {
      case Kind.INT:
        return Number(value.value);
      case Kind.LIST:
        return value.values;
      case Kind.VARIABLE:
        return this.variables[value.name.value] ?? this.#defaults.get(value.name.value);
      default:
        return undefined;
    }
  }
}
