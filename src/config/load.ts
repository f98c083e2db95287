import { existsSync } from 'node:fs';
import type { z } from 'zod';
import { ProcflowError, type ParameterError } from '../errors.js';
import { didYouMean, printable } from '../text.js';
import { assignmentLayer, fromEnvironment, type Assignment } from './assignments.js';
import { fileLayer } from './file.js';
import { isMapping, merge, valueAt, type Layer, type Mapping } from './layer.js';
import { DEFAULT_CONFIG_FILE, type Machine } from './machine.js';
import { makeSchema, type Config } from './schema.js';
import { keysUnder, SETTINGS } from './settings.js';

/** All that a configuration is made of; kept, so that it can be read again while the agent runs. */
export interface ConfigSources {
  /** The file that was asked for; undefined takes the default one if it is there. */
  readonly file: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  readonly flags: readonly Assignment[];
  readonly machine: Machine;
}

/**
 * The effective configuration: defaults, then the file, the environment and the flags, each over the one before.
 * @throws ProcflowError CONFIG_INVALID that lists every problem with the place where it stands
 */
export function loadConfig(sources: ConfigSources): Config {
  const file = configFile(sources);
  const layers: Layer[] = [assignmentLayer(fromEnvironment(sources.env)), assignmentLayer(sources.flags)];
  if (file !== undefined) layers.unshift(fileLayer(file));
  return configFrom(layers, sources.machine);
}

/** The file that is read, if any. */
export function configFile({ file, env }: ConfigSources): string | undefined {
  const asked = file ?? env['PROCFLOW_CONFIG'];
  if (asked !== undefined && asked !== '') return asked;
  return existsSync(DEFAULT_CONFIG_FILE) ? DEFAULT_CONFIG_FILE : undefined;
}

/** The configuration of some layers, the strongest last. */
export function configFrom(layers: readonly Layer[], machine: Machine): Config {
  const values = layers.reduce<Mapping>((all, layer) => merge(all, layer.values), {});
  const result = makeSchema(machine).safeParse(values);
  if (result.success) return result.data;

  const problems = result.error.issues.flatMap((issue) => problemsOf(issue, values));
  const lines = problems.map(({ path, message }) => `${originOf(layers, path, values)}: ${path.join('.')}: ${message}`);
  throw new ProcflowError('CONFIG_INVALID', `the configuration is not valid:\n  ${lines.join('\n  ')}`, {
    errors: problems.map(({ path, message }): ParameterError => ({ parameter: path.join('.'), message })),
  });
}

interface Problem {
  readonly path: readonly string[];
  readonly message: string;
}

function problemsOf(issue: z.core.$ZodIssue, values: Mapping): Problem[] {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: [...path, printable(key)],
      message: `there is no such key${suggestion(path, key)}`,
    }));
  }
  const value = valueAt(values, issue.path);
  return [{ path, message: value === undefined ? issue.message : `${issue.message}; it is ${shown(value)}` }];
}

/** The key that was meant: a neighbour, or one of the same name in another section. */
function suggestion(section: readonly string[], key: string): string {
  const near = didYouMean(key, keysUnder(section));
  if (near !== '') return near;
  const elsewhere = SETTINGS.find(({ path }) => path.at(-1) === key);
  return elsewhere === undefined ? '' : `; did you mean "${elsewhere.key}"?`;
}

const LONGEST_SHOWN = 80;

function shown(value: unknown): string {
  const text = printable(JSON.stringify(value));
  return text.length <= LONGEST_SHOWN ? text : `${text.slice(0, LONGEST_SHOWN)}…`;
}

/** The strongest layer that gave the value which is in force at the path. */
function originOf(layers: readonly Layer[], path: readonly string[], values: Mapping): string {
  const indexed = path.map((part) => (/^\d+$/.test(part) ? Number(part) : part));
  const section = isMapping(valueAt(values, indexed));
  const gave = ({ values }: Layer): boolean => {
    const value = valueAt(values, indexed);
    // A flag below a section did not give the wrong thing that stands in place of the section.
    return value !== undefined && isMapping(value) === section;
  };
  return (layers.findLast(gave) ?? layers[0])?.where(indexed) ?? 'defaults';
}
