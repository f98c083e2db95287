import { unwrapResolverError } from '@apollo/server/errors';
import type { GraphQLFormattedError } from 'graphql';
import { codeOfGraphQL, describeCode, ProcflowError, type ErrorCode } from '../../errors.js';

/** What an operator should see of an error that the caller must not. */
export type ReportInternal = (error: unknown) => void;

/**
 * An error as the caller gets it: code and message of our table, or nothing but "Internal error" when it is our own bug.
 * Does not throw.
 */
export function presentError(
  formatted: GraphQLFormattedError,
  error: unknown,
  report: ReportInternal,
): GraphQLFormattedError {
  const original = originalOf(error);
  if (original instanceof ProcflowError) {
    const errors = original.errors.length > 0 ? { errors: original.errors } : {};
    return withExtensions(formatted, original.message, { code: original.code, ...errors });
  }
  // Thrown by a resolver and not by us on purpose: a bug.
  const isBug = original !== error && original instanceof Error && original.name !== 'GraphQLError';
  const isCallers = !isBug && isAboutArguments(formatted);
  const code: ErrorCode = isBug
    ? 'INTERNAL'
    : isCallers
      ? 'BAD_USER_INPUT'
      : codeOfGraphQL(formatted.extensions?.['code']);
  if (code !== 'INTERNAL') return withExtensions(formatted, formatted.message, { code });
  report(original);
  return withExtensions(formatted, describeCode('INTERNAL').title, { code });
}

/** graphql-js gives no code to errors of variables and arguments, which it finds before a field or on reaching it. */
function isAboutArguments({ message, path, extensions }: GraphQLFormattedError): boolean {
  const code = extensions?.['code'];
  const hasCode = code !== undefined && code !== 'INTERNAL_SERVER_ERROR';
  return !hasCode && (path === undefined || /^(?:Argument|Variable) "/.test(message));
}

/** Compiled queries wrap once more than interpreted ones. */
function originalOf(error: unknown): unknown {
  let current = unwrapResolverError(error);
  for (let depth = 0; depth < 5; depth++) {
    if (current instanceof ProcflowError || typeof current !== 'object' || current === null) return current;
    const inner = 'originalError' in current ? current.originalError : undefined;
    if (inner === undefined || inner === null) return current;
    current = inner;
  }
  return current;
}

function withExtensions(
  { locations, path }: GraphQLFormattedError,
  message: string,
  extensions: Record<string, unknown>,
): GraphQLFormattedError {
  return { message, ...(locations && { locations }), ...(path && { path }), extensions };
}
