import { z } from 'zod';
import { invariant } from '../errors.js';
import type { About } from './kinds.js';
import { thisMachine } from './machine.js';
import { makeSchema } from './schema.js';

/** One key of the configuration, by all its names. */
export interface Setting extends About {
  readonly path: readonly string[];
  /** `capture.filter.keep.ports` */
  readonly key: string;
  /** `PROCFLOW_CAPTURE_FILTER_KEEP_PORTS` */
  readonly variable: string;
  /** `capture-filter-keep-ports` */
  readonly flag: string;
}

/** Every setting, in the schema's order. */
export const SETTINGS: readonly Setting[] = [...settingsOf(makeSchema(thisMachine()), [])];

const byKey = new Map(SETTINGS.map((setting) => [setting.key, setting]));
const byVariable = new Map(SETTINGS.map((setting) => [setting.variable, setting]));

export function settingByKey(key: string): Setting | undefined {
  return byKey.get(key);
}

export function settingByVariable(variable: string): Setting | undefined {
  return byVariable.get(variable);
}

/** The keys directly under a section: settings and sections. */
export function keysUnder(section: readonly string[]): string[] {
  const inside = SETTINGS.filter(({ path }) => section.every((part, i) => path[i] === part));
  return [...new Set(inside.map(({ path }) => path[section.length] ?? ''))];
}

/** Whether some settings lie below this path. */
export function isSection(path: readonly string[]): boolean {
  return !byKey.has(path.join('.')) && keysUnder(path).length > 0;
}

function* settingsOf(schema: unknown, path: readonly string[]): Generator<Setting> {
  invariant(schema instanceof z.ZodType, `${path.join('.')} is a schema`);
  const about = schema.meta()?.about;
  if (about !== undefined) {
    yield { ...about, ...namesOf(path) };
    return;
  }
  invariant(
    schema instanceof z.ZodPipe && schema.out instanceof z.ZodObject,
    `${path.join('.')} is a section or a setting`,
  );
  for (const [key, child] of Object.entries(schema.out.shape)) yield* settingsOf(child, [...path, key]);
}

function namesOf(path: readonly string[]): Pick<Setting, 'path' | 'key' | 'variable' | 'flag'> {
  const words = path.map((part) => part.replace(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`));
  const flag = words.join('-');
  return { path, key: path.join('.'), variable: `PROCFLOW_${flag.replaceAll('-', '_').toUpperCase()}`, flag };
}
