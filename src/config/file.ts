import { readFileSync } from 'node:fs';
import { isMap, isNode, isPair, isScalar, LineCounter, parseDocument, type Document } from 'yaml';
import { ProcflowError } from '../errors.js';
import { isMapping, type Layer } from './layer.js';

/**
 * A YAML file's values, each with its line and column.
 * @throws ProcflowError CONFIG_INVALID when the file cannot be read or is not YAML
 */
export function fileLayer(file: string): Layer {
  return yamlLayer(readText(file), file);
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ProcflowError('CONFIG_INVALID', `the configuration file cannot be read: ${reason}`, { cause });
  }
}

/** YAML text as a layer; `file` is its name in messages. */
export function yamlLayer(text: string, file: string): Layer {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const position = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  if (document.errors.length > 0) {
    const problems = document.errors.map((error) => `${position(error.pos[0])}: ${error.message}`);
    throw new ProcflowError('CONFIG_INVALID', `the configuration file is not valid YAML:\n  ${problems.join('\n  ')}`);
  }
  const values: unknown = document.toJS() ?? {};
  if (!isMapping(values)) {
    throw new ProcflowError('CONFIG_INVALID', `${position(0)}: expected a mapping of keys, such as "api:"`);
  }
  return { values, where: (path) => position(offsetOf(document, path)) };
}

/** Where the key of a path stands, or the item of a list; the nearest thing around it when it is not there. */
function offsetOf(document: Document.Parsed, path: readonly PropertyKey[]): number {
  let offset = 0;
  let node: unknown = document.contents;
  for (const part of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isPair(item) && isScalar(item.key) && String(item.key.value) === part);
      if (pair === undefined) return offset;
      offset = startOf(pair.key) ?? offset;
      node = pair.value;
    } else {
      node = document.getIn(path.slice(0, path.indexOf(part) + 1), true);
      offset = startOf(node) ?? offset;
    }
  }
  return offset;
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}
