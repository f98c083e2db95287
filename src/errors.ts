/**
 * Every error that leaves the agent by any door: the one table of codes that problem+json, GraphQL's
 * `extensions.code` and the command line share. A code is a promise to people's scripts: add, never rename.
 */
const TABLE = {
  // The caller's mistake.
  BAD_USER_INPUT: { status: 400, title: 'The request is not valid' },
  INVALID_ARGUMENT: { status: 400, title: 'A parameter has a wrong value' },
  UNKNOWN_PARAMETER: { status: 400, title: 'A parameter is not known' },
  INVALID_CURSOR: { status: 400, title: 'The page token is not one of ours' },
  GRAPHQL_PARSE_FAILED: { status: 400, title: 'The GraphQL document cannot be parsed' },
  GRAPHQL_VALIDATION_FAILED: { status: 400, title: 'The GraphQL document does not fit the schema' },
  UNAUTHENTICATED: { status: 401, title: 'A valid token is needed' },
  FORBIDDEN: { status: 403, title: 'The token does not allow this' },
  HOST_NOT_ALLOWED: { status: 403, title: 'The Host header is not an allowed name' },
  ORIGIN_NOT_ALLOWED: { status: 403, title: 'The Origin is not allowed' },
  NOT_FOUND: { status: 404, title: 'There is nothing by that name' },
  METHOD_NOT_ALLOWED: { status: 405, title: 'The method is not allowed here' },
  NOT_ACCEPTABLE: { status: 406, title: 'None of the accepted formats is offered' },
  PAYLOAD_TOO_LARGE: { status: 413, title: 'The request is too large' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, title: 'The content type is not supported' },
  QUERY_TOO_DEEP: { status: 422, title: 'The query is nested too deeply' },
  QUERY_TOO_COMPLEX: { status: 422, title: 'The query costs too much' },
  TOO_MANY_REQUESTS: { status: 429, title: 'Too many requests' },
  TOO_MANY_SUBSCRIPTIONS: { status: 429, title: 'Too many subscriptions' },
  // The agent's state.
  INTERNAL: { status: 500, title: 'Internal error' },
  TIMEOUT: { status: 503, title: 'The query took too long' },
  UNAVAILABLE: { status: 503, title: 'Not available now' },
  CAPTURE_UNAVAILABLE: { status: 503, title: 'Capture is not available' },
  // The command line and the machine.
  USAGE: { status: 400, title: 'The command is not used as it can be' },
  CONFIG_INVALID: { status: 400, title: 'The configuration is not valid' },
  RECORDING_INVALID: { status: 400, title: 'The recording cannot be read' },
  TOKENS_INVALID: { status: 500, title: 'The tokens file cannot be used' },
  LISTEN_FAILED: { status: 500, title: 'The address cannot be listened on' },
  LISTEN_REFUSED: { status: 500, title: 'Listening there is not safe without a token' },
} as const satisfies Record<string, { status: number; title: string }>;

/** The closed list of codes. */
export type ErrorCode = keyof typeof TABLE;

/** What one parameter, field or key is refused for. */
export interface ParameterError {
  readonly parameter: string;
  readonly message: string;
}

export interface ErrorDetails {
  readonly errors?: readonly ParameterError[] | undefined;
  /** Kept for the log; never shown outward. */
  readonly cause?: unknown;
}

/** Marks our errors, so that they are known also when two copies of this module are loaded. */
const MARK = Symbol.for('procflow.error');

/** An error that may be shown to whoever caused it: its message holds no internals and names the way out. */
export class ProcflowError extends Error {
  override readonly name = 'ProcflowError';
  readonly code: ErrorCode;
  readonly errors: readonly ParameterError[];
  readonly [MARK] = true;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined);
    this.code = code;
    this.errors = details.errors ?? [];
  }

  /** The HTTP status of the code. */
  get status(): number {
    return TABLE[this.code].status;
  }

  /** A sentence for the code, the same for all its errors (`title` of problem+json). */
  get title(): string {
    return TABLE[this.code].title;
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && MARK in value;
  }
}

export const ERROR_CODES = Object.keys(TABLE) as readonly ErrorCode[];

export function isErrorCode(text: unknown): text is ErrorCode {
  return typeof text === 'string' && Object.hasOwn(TABLE, text);
}

/** The status and title of a code. */
export function describeCode(code: ErrorCode): { readonly status: number; readonly title: string } {
  return TABLE[code];
}

/** Codes that GraphQL servers give by themselves, in our words. */
const FOREIGN_CODES: Readonly<Record<string, ErrorCode>> = {
  INTERNAL_SERVER_ERROR: 'INTERNAL',
  BAD_REQUEST: 'BAD_USER_INPUT',
  OPERATION_RESOLUTION_FAILURE: 'BAD_USER_INPUT',
};

/** The code of our table for `extensions.code` of any GraphQL error; what is not known is INTERNAL. */
export function codeOfGraphQL(code: unknown): ErrorCode {
  if (isErrorCode(code)) return code;
  return (
    (typeof code === 'string' && Object.hasOwn(FOREIGN_CODES, code) ? FOREIGN_CODES[code] : undefined) ?? 'INTERNAL'
  );
}

/** Any thrown value as an Error. Does not throw. */
export function asError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown;
  try {
    return new Error(`a thing that is no error was thrown: ${String(thrown)}`, { cause: thrown });
  } catch {
    return new Error('a thing that is no error and has no text was thrown', { cause: thrown });
  }
}

/** States what only a bug of ours can break. @throws Error when `condition` is false */
export function invariant(condition: unknown, message: string): asserts condition {
  if (condition === false || condition === undefined || condition === null)
    throw new Error(`broken invariant: ${message}`);
}

/** Ends every switch over a closed union: a case that was forgotten does not compile. */
export function unreachable(value: never): never {
  throw new Error(`broken invariant: unexpected ${JSON.stringify(value)}`);
}
