import { ApolloServer, type ApolloServerPlugin } from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginInlineTraceDisabled,
  ApolloServerPluginLandingPageDisabled,
} from '@apollo/server/plugin/disabled';
import { GraphQLError, OperationTypeNode, type GraphQLSchema } from 'graphql';
import { ProcflowError } from '../../errors.js';
import type { Logger } from '../../log.js';
import { stringify } from '../json.js';
import type { Executor } from './executor.js';
import { checkLimits, checkVariables, type QueryLimits } from './limits.js';
import type { RequestContext } from './mapped.js';
import { presentError, type ReportInternal } from './present-error.js';

/** More lexical tokens in one document are refused before it is parsed. */
export const MAX_TOKENS = 4000;

export interface ApolloOptions {
  readonly schema: GraphQLSchema;
  readonly executor: Executor;
  readonly limits: QueryLimits;
  readonly log: Logger;
  readonly report: ReportInternal;
}

/**
 * Apollo Server without what costs and does not serve here: the cache-control plugin would wrap every resolver, the landing
 * page loads from elsewhere. The gateway door is the way to give it an executor of our own.
 */
export function createApollo({ schema, executor, limits, log, report }: ApolloOptions): ApolloServer<RequestContext> {
  let announce: ((context: { apiSchema: GraphQLSchema; coreSupergraphSdl: string }) => void) | undefined;
  return new ApolloServer<RequestContext>({
    gateway: {
      onSchemaLoadOrUpdate(callback) {
        announce = callback;
        return () => undefined;
      },
      load() {
        announce?.({ apiSchema: schema, coreSupergraphSdl: '' });
        return Promise.resolve({
          executor: async ({ queryHash, document, operationName, request, context }) => {
            return await executor.run({
              key: queryHash,
              document,
              operationName,
              variables: request.variables ?? {},
              context: context as unknown as RequestContext,
            });
          },
        });
      },
      stop: () => Promise.resolve(),
    },
    plugins: [
      ApolloServerPluginCacheControlDisabled(),
      ApolloServerPluginInlineTraceDisabled(),
      ApolloServerPluginLandingPageDisabled(),
      limitsPlugin(limits),
    ],
    logger: log,
    // Set, so that neither the environment nor a missing variable changes how we answer.
    nodeEnv: 'production',
    introspection: true,
    csrfPrevention: true,
    allowBatchedHttpRequests: false,
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    parseOptions: { maxLexicalTokens: MAX_TOKENS },
    stringifyResult: stringify,
    formatError: (formatted, error) => presentError(formatted, error, report),
  });
}

function limitsPlugin(limits: QueryLimits): ApolloServerPlugin<RequestContext> {
  return {
    requestDidStart: () =>
      Promise.resolve({
        didResolveOperation({ schema, document, operation, request }) {
          refuseBy(() => {
            checkVariables(request.variables);
            if (operation === undefined) return;
            if (operation.operation === OperationTypeNode.SUBSCRIPTION) {
              throw new ProcflowError(
                'BAD_USER_INPUT',
                'subscriptions go over WebSocket (/graphql) or SSE (/graphql/stream)',
              );
            }
            checkLimits(schema, document, operation, request.variables ?? {}, limits);
          });
          return Promise.resolve();
        },
      }),
  };
}

/** Apollo takes the HTTP status from the error's extensions. */
function refuseBy(check: () => void): void {
  try {
    check();
  } catch (error) {
    if (!(error instanceof ProcflowError)) throw error;
    throw new GraphQLError(error.message, {
      originalError: error,
      extensions: { code: error.code, http: { status: error.status } },
    });
  }
}
