import { ProcflowError } from '../errors.js';
import { didYouMean } from '../text.js';
import { mappingOf, merge, type Layer, type Mapping } from './layer.js';
import { SETTINGS, settingByKey, settingByVariable, type Setting } from './settings.js';

/** A setting given as text: by a flag, `--set`, or a variable of the environment. */
export interface Assignment {
  readonly key: string;
  readonly text: string;
  /** What to call it in messages: `--port`, `PROCFLOW_API_PORT`. */
  readonly origin: string;
}

/** Not settings: the file's own variable, and switches of our tests. */
const OTHER_VARIABLES = /^PROCFLOW_(CONFIG$|TEST_)/;

/** What a container orchestrator sets by itself for a service that is called procflow. */
const SERVICE_LINK = /^PROCFLOW_(SERVICE_(HOST|PORT)|PORT)(_|$)/;

/**
 * The environment's PROCFLOW_… variables.
 * @throws ProcflowError CONFIG_INVALID for one that is no setting
 */
export function fromEnvironment(env: NodeJS.ProcessEnv): Assignment[] {
  const assignments: Assignment[] = [];
  for (const [variable, text] of Object.entries(env)) {
    if (!variable.startsWith('PROCFLOW_') || text === undefined || OTHER_VARIABLES.test(variable)) continue;
    const setting = settingByVariable(variable);
    if (setting !== undefined) assignments.push({ key: setting.key, text, origin: variable });
    else if (!SERVICE_LINK.test(variable))
      throw unknown(
        variable,
        'is no variable of ours',
        SETTINGS.map((s) => s.variable),
      );
  }
  return assignments;
}

/**
 * `--set key.path=value`.
 * @throws ProcflowError USAGE when it has another form, CONFIG_INVALID for an unknown key
 */
export function fromSet(argument: string): Assignment {
  const equals = argument.indexOf('=');
  if (equals < 1) throw new ProcflowError('USAGE', `--set ${argument}: expected key.path=value, such as api.port=9000`);
  const key = argument.slice(0, equals);
  if (settingByKey(key) === undefined)
    throw unknown(
      `--set ${key}`,
      'there is no such key',
      SETTINGS.map((s) => s.key),
      key,
    );
  return { key, text: argument.slice(equals + 1), origin: `--set ${key}` };
}

function unknown(origin: string, what: string, known: readonly string[], word = origin): ProcflowError {
  const message = `${what}${didYouMean(word, known)}`;
  return new ProcflowError('CONFIG_INVALID', `${origin}: ${message}`, { errors: [{ parameter: word, message }] });
}

/** Assignments as one layer: the last one for a setting counts, except that those for a list add up. */
export function assignmentLayer(assignments: readonly Assignment[]): Layer {
  const origins = new Map<string, string>();
  const found = new Map<Setting, unknown>();
  for (const { key, text, origin } of assignments) {
    const setting = settingByKey(key);
    if (setting === undefined) continue;
    const value = valueOf(text, setting);
    const before = found.get(setting);
    found.set(
      setting,
      Array.isArray(before) && Array.isArray(value) ? [...(before as unknown[]), ...(value as unknown[])] : value,
    );
    origins.set(key, origin);
  }
  const values = [...found].reduce<Mapping>((all, [setting, value]) => merge(all, mappingOf(setting.path, value)), {});
  return { values, where: (path) => originOf(origins, path) };
}

function originOf(origins: ReadonlyMap<string, string>, path: readonly PropertyKey[]): string {
  for (let length = path.length; length > 0; length--) {
    const origin = origins.get(path.slice(0, length).join('.'));
    if (origin !== undefined) return origin;
  }
  return 'flags and environment';
}

/** Text that is no value of its kind goes on as it is, for the schema to refuse. */
function valueOf(text: string, { kind }: Setting): unknown {
  switch (kind) {
    case 'boolean':
      return BOOLEANS.get(text.toLowerCase()) ?? text;
    case 'number':
      return /^-?\d+(?:\.\d+)?$/.test(text) ? Number(text) : text;
    case 'list':
      return listOf(text);
    case 'text':
      return text;
  }
}

const BOOLEANS = new Map([
  ['true', true],
  ['yes', true],
  ['on', true],
  ['1', true],
  ['false', false],
  ['no', false],
  ['off', false],
  ['0', false],
]);

/** `a,b` → a and b; JSON's `["a,b"]` for values with a comma in them. */
function listOf(text: string): unknown {
  if (text.startsWith('[')) {
    try {
      return JSON.parse(text);
    } catch {
      // Not JSON after all: a pattern may begin with a bracket.
    }
  }
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}
