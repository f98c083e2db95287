/**
 * GraphQL over server-sent events, in the distinct connections mode of the protocol that graphql-sse describes: one
 * operation a request, `event: next` with an execution result, `event: complete` at the end.
 */
import type { Request, Response } from 'express';
import { OperationTypeNode, type ExecutionResult, type GraphQLError } from 'graphql';
import { ProcflowError } from '../../errors.js';
import type { Principal } from '../auth/index.js';
import type { Framing, OpenStreams } from '../http/http-sink.js';
import { stringify } from '../json.js';
import type { Caller } from '../query/index.js';
import type { Scope } from '../../tokens.js';
import { asGraphQLError, type Documents, type GraphQLRequest, type Prepared } from './documents.js';
import type { Executor } from './executor.js';
import type { RequestContext } from './mapped.js';
import type { ReportInternal } from './present-error.js';
import { presentResult, type Subscriptions } from './subscriptions.js';

export interface DoorOptions {
  readonly documents: Documents;
  readonly executor: Executor;
  readonly subscriptions: Subscriptions;
  readonly report: ReportInternal;
  readonly caller: (scopes: readonly Scope[]) => Caller;
  readonly context: (caller: Caller) => RequestContext;
}

const FRAMING: Framing = {
  contentType: 'text/event-stream; charset=utf-8',
  start: ':\n\n',
  frame: (payload) => ['event: next\ndata: ', payload, '\n\n'],
  ping: ': ping\n\n',
  end: () => 'event: complete\ndata:\n\n',
};

/** Answers a request of `/graphql/stream`. @throws ProcflowError for requests that are none */
export function answerBySse(
  options: DoorOptions,
  streams: OpenStreams,
  principal: Principal,
  request: Request,
  response: Response,
): void {
  const { documents, subscriptions, report } = options;
  if (request.method === 'POST' && !request.is('application/json')) {
    throw new ProcflowError('UNSUPPORTED_MEDIA_TYPE', 'send the operation as application/json');
  }
  if (request.accepts('text/event-stream') === false) {
    throw new ProcflowError(
      'NOT_ACCEPTABLE',
      'operations are answered as text/event-stream here; POST /graphql answers as JSON',
    );
  }
  const prepared = documents.prepare(readRequest(request));
  if (isErrors(prepared)) {
    sendOnce(response, presentResult({ errors: prepared }, report));
    return;
  }
  if (prepared.operation.operation !== OperationTypeNode.SUBSCRIPTION) {
    void runOnce(options, prepared, principal).then((result) => sendOnce(response, result));
    return;
  }
  let failure: unknown;
  streams.open(response, FRAMING, (sink) => {
    try {
      return subscriptions.open(prepared, principal.scopes, sink);
    } catch (error) {
      failure = error;
      return { drained: () => undefined, leave: () => undefined };
    }
  });
  if (failure === undefined) return;
  response.end(nextText(presentResult({ errors: [asGraphQLError(failure)] }, report)) + FRAMING.end('SHUTDOWN'));
}

/** Runs a query; the result is ready to be sent. Never rejects. */
export async function runOnce(
  { executor, caller, context, report }: DoorOptions,
  { key, document, operationName, variables }: Prepared,
  principal: Principal,
): Promise<Record<string, unknown>> {
  let result: ExecutionResult;
  try {
    result = await executor.run({
      key,
      document,
      operationName,
      variables,
      context: context(caller(principal.scopes)),
    });
  } catch (error) {
    result = { errors: [asGraphQLError(error)] };
  }
  return presentResult(result, report);
}

function sendOnce(response: Response, result: Record<string, unknown>): void {
  response.writeHead(200, { 'content-type': FRAMING.contentType });
  response.end(nextText(result) + FRAMING.end('SHUTDOWN'));
}

function nextText(result: Record<string, unknown>): string {
  return `event: next\ndata: ${stringify(result)}\n\n`;
}

export function isErrors(prepared: Prepared | readonly GraphQLError[]): prepared is readonly GraphQLError[] {
  return Array.isArray(prepared);
}

function readRequest(request: Request): GraphQLRequest {
  const given: unknown = request.method === 'POST' ? (request.body as unknown) : fromSearch(request.originalUrl);
  return checkRequest(given);
}

function fromSearch(url: string): Record<string, unknown> {
  const search = new URLSearchParams(url.split('?', 2)[1] ?? '');
  const variables = search.get('variables');
  return {
    query: search.get('query'),
    operationName: search.get('operationName'),
    variables: variables === null ? null : parseJson(variables),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ProcflowError('BAD_USER_INPUT', 'variables are not valid JSON');
  }
}

/** @throws ProcflowError BAD_USER_INPUT */
export function checkRequest(given: unknown): GraphQLRequest {
  const { query, operationName, variables } = (typeof given === 'object' && given !== null ? given : {}) as Record<
    string,
    unknown
  >;
  if (typeof query !== 'string')
    throw new ProcflowError('BAD_USER_INPUT', 'the request needs a query, which is a string');
  if (typeof operationName !== 'string' && operationName !== undefined && operationName !== null) {
    throw new ProcflowError('BAD_USER_INPUT', 'operationName is a string');
  }
  if ((typeof variables !== 'object' && variables !== undefined) || Array.isArray(variables)) {
    throw new ProcflowError('BAD_USER_INPUT', 'variables are an object');
  }
  return { query, operationName: operationName ?? null, variables: (variables ?? {}) as Record<string, unknown> };
}
