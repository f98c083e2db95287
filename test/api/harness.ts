import { after } from 'node:test';
import { createLog } from '../../src/log.js';
import { startApi, type Api, type ApiConfig, type ApiOptions } from '../../src/api/index.js';
import { FakeState } from './fake-state.js';
import { CONFIG, FakeTokens } from './harness-config.js';

export { FakeTokens } from './harness-config.js';

export interface Harness {
  readonly state: FakeState;
  readonly api: Api;
  readonly url: string;
  /** What was logged as our own fault. */
  readonly logged: string[];
  get(path: string, init?: RequestInit): Promise<Response>;
  json(path: string, init?: RequestInit): Promise<Record<string, unknown>>;
  graphql(query: string, variables?: Record<string, unknown>, init?: RequestInit): Promise<GraphQLAnswer>;
}

export interface GraphQLAnswer {
  readonly status: number;
  readonly data: never;
  readonly errors?: readonly { readonly message: string; readonly extensions: { readonly code: string } }[];
}

const open: Api[] = [];
after(async () => {
  await Promise.all(open.map((api) => api.stop()));
});

/** Starts the whole API over a fake state; it is stopped when the file's tests are over. */
export async function startHarness(
  options: Partial<Omit<ApiOptions, 'config'>> & { config?: Partial<ApiConfig> } = {},
): Promise<Harness> {
  const state = options.state instanceof FakeState ? options.state : new FakeState();
  const logged: string[] = [];
  const log = createLog({ level: 'error', format: 'json' }, { write: (line) => void logged.push(line) });
  const api = await startApi({
    ready: () => true,
    exporters: () => [],
    tokens: new FakeTokens(),
    log,
    ...options,
    state,
    config: { ...CONFIG, ...options.config },
  });
  open.push(api);
  const url = `http://127.0.0.1:${api.port}`;
  const get = (path: string, init?: RequestInit): Promise<Response> => fetch(`${url}${path}`, init);
  return {
    state,
    api,
    url,
    logged,
    get,
    json: async (path, init) => (await (await get(path, init)).json()) as Record<string, unknown>,
    graphql: async (query, variables, init) => {
      const response = await get('/graphql', {
        method: 'POST',
        body: JSON.stringify({ query, variables }),
        ...init,
        headers: { 'content-type': 'application/json', ...(init?.headers as Record<string, string> | undefined) },
      });
      return { status: response.status, ...((await response.json()) as object) } as GraphQLAnswer;
    },
  };
}
