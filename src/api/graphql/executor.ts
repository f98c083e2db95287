import { execute, type DocumentNode, type ExecutionResult, type GraphQLSchema } from 'graphql';
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

/**
 * Runs operations, those that come again by compiled code (about a tenth of the cost). What can be compiled answers the
 * same either way; tests compare.
 */
export class Executor {
  readonly #known = new Map<string, Known>();

  constructor(private readonly schema: GraphQLSchema) {}

  run(operation: Operation): Promise<ExecutionResult> | ExecutionResult {
    const { document, operationName, variables, context, root } = operation;
    const compiled = this.#compiledOf(operation);
    if (compiled !== undefined) return compiled.query(root, context, variables);
    return execute({
      schema: this.schema,
      document,
      operationName,
      variableValues: variables,
      contextValue: context,
      rootValue: root,
    });
  }

  #compiledOf({ key, document, operationName }: Operation): CompiledQuery | undefined {
    const name = `${key}\n${operationName ?? ''}`;
    const known: Known = this.#known.get(name) ?? { runs: 0, compiled: 'not-yet' };
    // Deleted and set again, the map keeps its entries in the order of their last use.
    this.#known.delete(name);
    this.#known.set(name, known);
    if (this.#known.size > MAX_KNOWN) this.#forgetOldest();
    if (known.compiled === 'not-yet' && ++known.runs >= HOT_RUNS) {
      const result = compileQuery(this.schema, document, operationName ?? '', { disablingCapturingStackErrors: true });
      known.compiled = isCompiledQuery(result) ? result : 'cannot';
    }
    return typeof known.compiled === 'string' ? undefined : known.compiled;
  }

  #forgetOldest(): void {
    for (const name of this.#known.keys()) {
      this.#known.delete(name);
      return;
    }
  }
}
