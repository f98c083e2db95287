import {
  execute,
  extendSchema,
  getOperationAST,
  getVariableValues,
  GraphQLError,
  Kind,
  parse,
  type DocumentNode,
  type ExecutionResult,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type VariableDefinitionNode,
} from 'graphql';
import { compileQuery, isCompiledQuery, type CompiledQuery } from 'graphql-jit';
import type { Variables } from './limits.js';
import type { RequestContext } from './mapped.js';

export interface Operation {
  /** Names the document; the same text has the same key. */
  readonly key: string;
  readonly document: DocumentNode;
  readonly operationName: string | null;
  readonly variables: Variables;
  readonly context: RequestContext;
  readonly root?: unknown;
}

interface Known {
  runs: number;
  compiled: CompiledQuery | 'not-yet' | 'cannot';
}

/** Compiling costs about ten executions, so a document is compiled when it has come this often. */
const HOT_RUNS = 3;
const MAX_KNOWN = 500;
/** Of the time that passes, at most one part in so many goes into compiling: a flood of new documents must not stop us. */
const COMPILE_SHARE = 10;

/**
 * Runs operations, those that come again by compiled code (about a tenth of the cost). Both ways answer the same; tests
 * compare.
 *
 * The compiler unrolls the types of variables, which never ends for a type that holds itself, as every filter does. So
 * variables are read by graphql-js, and the compiled code is told that they have a type that needs no reading.
 */
export class Executor {
  readonly #known = new Map<string, Known>();
  readonly #compilerSchema: GraphQLSchema;
  #nextCompileMs = 0;

  constructor(private readonly schema: GraphQLSchema) {
    this.#compilerSchema = extendSchema(schema, parse(`scalar ${READ_ALREADY}`));
  }

  run(operation: Operation): Promise<ExecutionResult> | ExecutionResult {
    const { document, operationName, variables, context, root } = operation;
    const compiled = this.#compiledOf(operation);
    if (compiled === undefined) {
      return execute({
        schema: this.schema,
        document,
        operationName,
        variableValues: variables,
        contextValue: context,
        rootValue: root,
      });
    }
    const definitions = getOperationAST(document, operationName)?.variableDefinitions ?? [];
    const read = getVariableValues(this.schema, definitions, variables);
    if (read.errors !== undefined) return { errors: read.errors };
    const result = compiled.query(root, context, read.coerced);
    return result instanceof Promise ? result.then(withRealErrors) : withRealErrors(result);
  }

  #compiledOf(operation: Operation): CompiledQuery | undefined {
    const name = `${operation.key}\n${operation.operationName ?? ''}`;
    const known: Known = this.#known.get(name) ?? { runs: 0, compiled: 'not-yet' };
    // Deleted and set again, the map keeps its entries in the order of their last use.
    this.#known.delete(name);
    this.#known.set(name, known);
    if (this.#known.size > MAX_KNOWN) this.#forgetOldest();
    if (known.compiled === 'not-yet' && ++known.runs >= HOT_RUNS) known.compiled = this.#compile(operation);
    return typeof known.compiled === 'string' ? undefined : known.compiled;
  }

  #compile({ document, operationName }: Operation): CompiledQuery | 'not-yet' | 'cannot' {
    const startMs = performance.now();
    if (startMs < this.#nextCompileMs) return 'not-yet';
    const result = compileQuery(this.#compilerSchema, withReadVariables(document), operationName ?? '');
    const endMs = performance.now();
    this.#nextCompileMs = endMs + COMPILE_SHARE * (endMs - startMs);
    return isCompiledQuery(result) ? result : 'cannot';
  }

  #forgetOldest(): void {
    for (const name of this.#known.keys()) {
      this.#known.delete(name);
      return;
    }
  }
}

/** Compiled code makes errors that lack what every GraphQLError has, and whoever formats them relies on. */
function withRealErrors(result: ExecutionResult): ExecutionResult {
  if (result.errors === undefined) return result;
  const errors = result.errors.map(({ message, path, locations, originalError }) => {
    const error = new GraphQLError(message, { path: path ?? null, originalError: originalError ?? null });
    return Object.defineProperty(error, 'locations', { value: locations, enumerable: true });
  });
  return { ...result, errors };
}

const READ_ALREADY = 'ReadAlready';

/** The document with variables of a type that takes any value as it is. */
export function withReadVariables(document: DocumentNode): DocumentNode {
  return {
    ...document,
    definitions: document.definitions.map((definition) => {
      return definition.kind === Kind.OPERATION_DEFINITION ? withReadVariablesIn(definition) : definition;
    }),
  };
}

function withReadVariablesIn(operation: OperationDefinitionNode): OperationDefinitionNode {
  const variableDefinitions = operation.variableDefinitions?.map(({ kind, variable }): VariableDefinitionNode => {
    return { kind, variable, type: { kind: Kind.NAMED_TYPE, name: { kind: Kind.NAME, value: READ_ALREADY } } };
  });
  return { ...operation, ...(variableDefinitions && { variableDefinitions }) };
}
