import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import { expressMiddleware } from '@as-integrations/express5';
import type { ApolloServer } from '@apollo/server';
import { describeCode, ProcflowError } from '../../errors.js';
import { nearest } from '../../text.js';
import type { Guard, Door, Principal } from '../auth/index.js';
import { answerBySse, type DoorOptions } from '../graphql/sse-door.js';
import type { HostView, RequestContext } from '../graphql/mapped.js';
import type { ReportInternal } from '../graphql/present-error.js';
import { stringify } from '../json.js';
import { inRestWords } from '../rest/grammar.js';
import type { Handler } from '../rest/handlers.js';
import { metricsText } from '../rest/metrics.js';
import { readParameters } from '../rest/parameters.js';
import type { Spec, SpecOperation } from '../rest/spec.js';
import type { OpenStreams } from './http-sink.js';
import { asProblem, problemText } from './problem.js';
import type { RequestCounts } from './request-counts.js';

export interface AppOptions {
  readonly apollo: ApolloServer<RequestContext>;
  readonly doors: DoorOptions;
  readonly guard: Guard;
  readonly streams: OpenStreams;
  readonly spec: Spec;
  readonly handlers: Readonly<Record<string, Handler>>;
  readonly requests: RequestCounts;
  readonly maxBodyBytes: number;
  readonly report: ReportInternal;
  isReady(): boolean;
  isStopping(): boolean;
  host(): HostView;
  doorOf(request: Request): Door;
}

/** What a daemon on loopback owes the browsers of its machine. */
const HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
} as const;

/** Answered to whoever reaches the address, for probes that have no token. */
const OPEN_PATHS: readonly string[] = ['/healthz', '/readyz'];

interface Locals {
  principal?: Principal;
  operation?: string;
}

/** All HTTP of the agent: GraphQL, REST, streams, probes and metrics. */
export function createApp(options: AppOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', false);
  app.set('case sensitive routing', true);
  app.use((request, response, next) => enter(options, request, response, next));
  addProbes(app, options);
  addGraphQL(app, options);
  addRest(app, options);
  app.use((request) => {
    const paths = [...options.spec.operations.map(({ path }) => path), '/graphql', '/graphql/stream', ...OPEN_PATHS];
    const near = nearest(request.path, paths);
    const hint = near === undefined ? '; /openapi.yaml names all paths' : `; did you mean ${near}?`;
    throw new ProcflowError('NOT_FOUND', `there is nothing at ${request.path.slice(0, 200)}${hint}`);
  });
  app.use((error: unknown, request: Request, response: Response, _next: NextFunction) => {
    sendError(options, error, request, response);
  });
  return app;
}

/** Every request comes by here first. */
function enter(options: AppOptions, request: Request, response: Response, next: NextFunction): void {
  const { guard, requests } = options;
  const locals: Locals = response.locals;
  response.once('finish', () => requests.count(locals.operation ?? 'none', response.statusCode));
  for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
  if (options.isStopping()) {
    response.setHeader('connection', 'close');
    throw new ProcflowError('UNAVAILABLE', 'the agent stops');
  }
  const door = options.doorOf(request);
  guard.checkHeaders(request, door);
  if (!OPEN_PATHS.includes(request.path)) locals.principal = guard.authenticate(request, door);
  next();
}

function addProbes(app: Express, options: AppOptions): void {
  route(app, '/healthz', 'healthz', ({ response }) => {
    response.setHeader('content-type', 'text/plain; charset=utf-8').end('ok\n');
  });
  route(app, '/readyz', 'readyz', ({ response }) => {
    const isReady = options.isReady();
    response.status(isReady ? 200 : 503).setHeader('content-type', 'text/plain; charset=utf-8');
    if (!isReady) response.setHeader('retry-after', '1');
    response.end(isReady ? 'ready\n' : 'not ready: capture has not begun yet\n');
  });
  route(app, '/metrics', 'metrics', ({ response }) => {
    response.setHeader('content-type', 'text/plain; version=0.0.4; charset=utf-8');
    response.end(metricsText(options.host(), options.requests));
  });
}

function addGraphQL(app: Express, { apollo, doors, streams, maxBodyBytes }: AppOptions): void {
  const json = express.json({ limit: maxBodyBytes });
  app.use('/graphql/stream', json, (request: Request, response: Response) => {
    (response.locals as Locals).operation = 'graphqlStream';
    if (request.method !== 'GET' && request.method !== 'POST') throw notAllowed(response, request, 'GET, POST');
    answerBySse(doors, streams, principalOf(response), request, response);
  });
  app.use('/graphql', exactly, json, (request: Request, response: Response, next: NextFunction) => {
    (response.locals as Locals).operation = 'graphql';
    if (request.method !== 'GET' && request.method !== 'POST') throw notAllowed(response, request, 'GET, POST');
    // Apollo wants to see that a parser was there, also when there was nothing to parse.
    request.body ??= undefined;
    next();
  });
  app.use(
    '/graphql',
    expressMiddleware(apollo, {
      context: ({ res }) => Promise.resolve(doors.context(doors.caller(principalOf(res).scopes))),
    }),
  );
}

/** Nothing lies below /graphql. */
function exactly(request: Request, _response: Response, next: NextFunction): void {
  if (request.path !== '/') throw new ProcflowError('NOT_FOUND', 'there is nothing below /graphql but /graphql/stream');
  next();
}

function addRest(app: Express, { spec, handlers, doors }: AppOptions): void {
  for (const operation of spec.operations) {
    const handler = handlers[operation.id];
    if (handler === undefined) continue;
    const path = operation.path.replace(/\{(\w+)\}/g, ':$1');
    route(app, path, operation.id, ({ request, response }) => answer(operation, handler, doors, request, response));
  }
}

function answer(
  operation: SpecOperation,
  handler: Handler,
  doors: DoorOptions,
  request: Request,
  response: Response,
): void {
  const { scopes } = principalOf(response);
  const parameters = readParameters(request.originalUrl.split('?', 2)[1] ?? '', operation);
  try {
    handler({ request, response, parameters, caller: doors.caller(scopes), scopes });
  } catch (error) {
    throw inRestWords(error);
  }
}

function route(
  app: Express,
  path: string,
  operation: string,
  get: (exchange: { request: Request; response: Response }) => void,
): void {
  const allowed = 'GET, HEAD, OPTIONS';
  app.all(path, (request, response) => {
    (response.locals as Locals).operation = operation;
    if (request.method === 'OPTIONS') response.status(204).setHeader('allow', allowed).end();
    else if (request.method === 'GET' || request.method === 'HEAD') get({ request, response });
    else throw notAllowed(response, request, allowed);
  });
}

function notAllowed(response: Response, request: Request, allowed: string): ProcflowError {
  response.setHeader('allow', allowed);
  return new ProcflowError('METHOD_NOT_ALLOWED', `${request.method} is not allowed here; ${allowed} are`);
}

function principalOf(response: { locals: unknown }): Principal {
  const { principal } = response.locals as Locals;
  if (principal === undefined) throw new ProcflowError('UNAUTHENTICATED', 'nobody was authenticated');
  return principal;
}

function sendError({ report }: AppOptions, error: unknown, request: Request, response: Response): void {
  const problem = asProblem(error) ?? new ProcflowError('INTERNAL', describeCode('INTERNAL').title, { cause: error });
  if (problem.code === 'INTERNAL') report(error);
  if (response.headersSent) {
    // Half an answer cannot be taken back; a cut connection tells that it is not whole.
    response.destroy();
    return;
  }
  response.status(problem.status);
  if (problem.code === 'UNAUTHENTICATED') response.setHeader('www-authenticate', 'Bearer realm="procflow"');
  if (problem.status === 503) response.setHeader('retry-after', '1');
  if (problem.code === 'PAYLOAD_TOO_LARGE') response.setHeader('connection', 'close');
  const isGraphQL = request.path === '/graphql' || request.path.startsWith('/graphql/');
  if (isGraphQL || request.baseUrl === '/graphql') {
    const { message, code, errors } = problem;
    response.setHeader('content-type', 'application/json; charset=utf-8');
    response.end(
      `${stringify({ errors: [{ message, extensions: { code, ...(errors.length > 0 && { errors }) } }] })}\n`,
    );
    return;
  }
  response.setHeader('content-type', 'application/problem+json; charset=utf-8');
  response.end(problemText(problem));
}
