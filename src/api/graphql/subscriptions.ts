import {
  getArgumentValues,
  getVariableValues,
  GraphQLError,
  Kind,
  type ExecutionResult,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLSchema,
  type SelectionSetNode,
} from 'graphql';
import { invariant, ProcflowError } from '../../errors.js';
import type { Scope } from '../../tokens.js';
import { stringify } from '../json.js';
import type { Caller, FilterInput, Queries } from '../query/index.js';
import {
  checkInterval,
  SamplePicker,
  sampleSpec,
  type EventKind,
  type GroupSpec,
  type Hub,
  type Sample,
  type Sink,
  type StreamEvent,
  type Subscribed,
} from '../stream/index.js';
import type { Prepared } from './documents.js';
import type { Executor } from './executor.js';
import type { EventList, FlowEventView, HostView, RequestContext, SampleList } from './mapped.js';
import { presentError, type ReportInternal } from './present-error.js';

export interface SubscriptionsOptions {
  readonly schema: GraphQLSchema;
  readonly executor: Executor;
  readonly queries: Queries;
  readonly hub: Hub;
  readonly report: ReportInternal;
  readonly caller: (scopes: readonly Scope[]) => Caller;
  readonly host: () => HostView;
}

const MIN_WINDOW_MS = 10;
const MAX_WINDOW_MS = 60_000;

interface EventArguments {
  readonly where?: FilterInput | null;
  readonly except?: FilterInput | null;
  readonly events?: readonly EventKind[] | null;
  readonly windowMs?: number | null;
  readonly intervalMs?: number | null;
}

/**
 * GraphQL subscriptions over the hub. All that subscribed with the same document, variables and scopes are one group: the
 * document is executed once a window with the window's list as its root, and made into JSON once.
 */
export class Subscriptions {
  constructor(private readonly options: SubscriptionsOptions) {}

  /**
   * Joins a subscription; the sink gets execution results as JSON.
   * @throws ProcflowError or GraphQLError when the arguments or scopes do not allow it
   */
  open(prepared: Prepared, scopes: readonly Scope[], sink: Sink): Subscribed {
    const { queries, hub } = this.options;
    const { field, args } = this.#fieldOf(prepared);
    const windowMs = checkWindow(args.windowMs ?? 100);
    const key = JSON.stringify([
      'graphql',
      prepared.key,
      prepared.operationName,
      prepared.variables,
      [...scopes].sort(),
    ]);
    const caller = this.options.caller(scopes);
    const base = { windowMs, ...this.#rendering(prepared, scopes) };
    if (field === 'flowEvents') {
      caller.need('flows:read');
      const kinds = new Set<EventKind>(args.events ?? ['STARTED', 'ENDED']);
      const filter = queries.filterFlows(args.where, args.except, caller, caller.nowMicros);
      return hub.join('flow', { sink, key, spec: () => ({ ...base, kinds, filter }) });
    }
    if (field === 'exchangeEvents') {
      caller.need('flows:read');
      const kinds = new Set<EventKind>(args.events ?? ['STARTED', 'ENDED']);
      const filter = queries.filterExchanges(args.where, args.except, caller, caller.nowMicros);
      return hub.join('exchange', { sink, key, spec: () => ({ ...base, kinds, filter }) });
    }
    caller.need('processes:read');
    const filter = queries.filterProcesses(args.where, args.except, caller, caller.nowMicros);
    if (field === 'samples') {
      const picker = new SamplePicker(filter, checkInterval(args.intervalMs ?? null));
      return hub.join('sample', {
        sink,
        key,
        spec: () => ({ ...sampleSpec(picker), ...this.#rendering(prepared, scopes) }),
      });
    }
    const kinds = new Set<EventKind>(args.events ?? ['STARTED', 'EXITED']);
    return hub.join('process', { sink, key, spec: () => ({ ...base, kinds, filter }) });
  }

  #rendering(prepared: Prepared, scopes: readonly Scope[]): Pick<GroupSpec<unknown>, 'render' | 'renderDropped'> {
    return {
      render: (events, dropped) => {
        // Lists of samples have no field `events`, and lists of events none that is `samples`: one object serves both.
        const root = { events: events.map(viewOf), samples: events.map(({ row }) => row as Sample), dropped };
        return this.#execute(prepared, scopes, root);
      },
      renderDropped: (dropped) => this.#execute(prepared, scopes, { events: [], samples: [], dropped }),
    };
  }

  #execute(
    { key, document, operationName, variables }: Prepared,
    scopes: readonly Scope[],
    root: EventList & SampleList,
  ): Buffer {
    const { executor, queries, host, report } = this.options;
    let view: HostView | undefined;
    const context: RequestContext = { queries, caller: this.options.caller(scopes), host: () => (view ??= host()) };
    const result = executor.run({ key, document, operationName, variables, context, root });
    invariant(!(result instanceof Promise), 'resolvers are synchronous');
    return Buffer.from(stringify(presentResult(result, report)));
  }

  #fieldOf({ document, operation, variables }: Prepared): { field: string; args: EventArguments } {
    const { schema } = this.options;
    const type = schema.getSubscriptionType();
    const fragments = document.definitions.filter((node) => node.kind === Kind.FRAGMENT_DEFINITION);
    const node = firstField(operation.selectionSet, fragments);
    const definition = node && type?.getFields()[node.name.value];
    if (node === undefined || !definition)
      throw new ProcflowError('BAD_USER_INPUT', 'the subscription selects no event field');
    const coerced = getVariableValues(schema, operation.variableDefinitions ?? [], variables);
    if (coerced.errors !== undefined) throw coerced.errors[0] ?? new GraphQLError('bad variables');
    return { field: definition.name, args: getArgumentValues(definition, node, coerced.coerced) };
  }
}

/** A result as it goes to the client, with the errors of our table. */
export function presentResult(result: ExecutionResult, report: ReportInternal): Record<string, unknown> {
  const { data, errors } = result;
  if (errors === undefined || errors.length === 0) return { data };
  return { data, errors: errors.map((error) => presentError(formatted(error), error, report)) };
}

/** Compiled queries give errors that look like GraphQL's and are not. */
function formatted(error: GraphQLError) {
  const { message, locations, path, extensions } = error;
  return { message, ...(locations && { locations }), ...(path && { path }), extensions };
}

function checkWindow(windowMs: number): number {
  if (windowMs >= MIN_WINDOW_MS && windowMs <= MAX_WINDOW_MS) return windowMs;
  throw new ProcflowError('INVALID_ARGUMENT', `windowMs is ${MIN_WINDOW_MS} to ${MAX_WINDOW_MS}, not ${windowMs}`);
}

function viewOf({ kind, row }: StreamEvent<unknown>): EventList['events'][number] {
  // Each kind of event reads the field of its own name: one object serves them all.
  return { kind, flow: row, process: row, exchange: row } as unknown as FlowEventView;
}

/** The validation rule SingleFieldSubscriptions has seen to it that there is one. */
function firstField(set: SelectionSetNode, fragments: readonly FragmentDefinitionNode[]): FieldNode | undefined {
  for (const selection of set.selections) {
    if (selection.kind === Kind.FIELD) return selection;
    const inner =
      selection.kind === Kind.INLINE_FRAGMENT
        ? selection.selectionSet
        : fragments.find(({ name }) => name.value === selection.name.value)?.selectionSet;
    const field = inner && firstField(inner, fragments);
    if (field !== undefined) return field;
  }
  return undefined;
}
