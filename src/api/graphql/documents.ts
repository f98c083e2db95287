import { createHash } from 'node:crypto';
import {
  getOperationAST,
  GraphQLError,
  parse,
  validate,
  type DocumentNode,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql';
import { ProcflowError } from '../../errors.js';
import { MAX_TOKENS } from './apollo.js';
import { checkLimits, checkVariables, type QueryLimits, type Variables } from './limits.js';

/** A request as WebSocket and SSE clients send it. */
export interface GraphQLRequest {
  readonly query: string;
  readonly operationName: string | null;
  readonly variables: Variables;
}

/** A request that was found fit to run. */
export interface Prepared {
  readonly key: string;
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  readonly operationName: string | null;
  readonly variables: Variables;
}

type Parsed = { readonly key: string; readonly document: DocumentNode } | { readonly errors: readonly GraphQLError[] };

const MAX_DOCUMENTS = 500;
/** Longer documents are not worth keeping. */
const MAX_KEPT_LENGTH = 32_768;

/** Parses and validates documents for the doors that Apollo does not serve, by the same rules and limits. */
export class Documents {
  readonly #parsed = new Map<string, Parsed>();

  constructor(
    private readonly schema: GraphQLSchema,
    private readonly limits: QueryLimits,
  ) {}

  prepare({ query, operationName, variables }: GraphQLRequest): Prepared | readonly GraphQLError[] {
    const parsed = this.#parse(query);
    if ('errors' in parsed) return parsed.errors;
    const { key, document } = parsed;
    const operation = getOperationAST(document, operationName);
    if (!operation) {
      const which =
        operationName === null ? 'one operation, or operationName' : `an operation ${JSON.stringify(operationName)}`;
      return [asGraphQLError(new ProcflowError('BAD_USER_INPUT', `the document needs ${which}`))];
    }
    try {
      checkVariables(variables);
      checkLimits(this.schema, document, operation, variables, this.limits);
    } catch (error) {
      return [asGraphQLError(error)];
    }
    return { key, document, operation, operationName, variables };
  }

  #parse(query: string): Parsed {
    const known = this.#parsed.get(query);
    if (known !== undefined) return known;
    const parsed = this.#check(query);
    if (query.length <= MAX_KEPT_LENGTH) this.#keep(query, parsed);
    return parsed;
  }

  #check(query: string): Parsed {
    let document: DocumentNode;
    try {
      document = parse(query, { maxLexicalTokens: MAX_TOKENS });
    } catch (error) {
      return { errors: [withCode(error as GraphQLError, 'GRAPHQL_PARSE_FAILED')] };
    }
    const errors = validate(this.schema, document);
    if (errors.length > 0) return { errors: errors.map((error) => withCode(error, 'GRAPHQL_VALIDATION_FAILED')) };
    return { key: createHash('sha256').update(query).digest('hex'), document };
  }

  #keep(query: string, parsed: Parsed): void {
    this.#parsed.set(query, parsed);
    if (this.#parsed.size <= MAX_DOCUMENTS) return;
    for (const oldest of this.#parsed.keys()) {
      this.#parsed.delete(oldest);
      return;
    }
  }
}

export function asGraphQLError(error: unknown): GraphQLError {
  if (error instanceof GraphQLError) return error;
  const original = error instanceof Error ? error : new Error(String(error));
  return new GraphQLError(original.message, { originalError: original });
}

function withCode({ message, nodes, source, positions }: GraphQLError, code: string): GraphQLError {
  return new GraphQLError(message, {
    nodes: nodes ?? null,
    source: source ?? null,
    positions: positions ?? null,
    extensions: { code },
  });
}
