import { Document, isMap, isPair, isScalar, type YAMLMap } from 'yaml';
import type { Config } from './schema.js';
import { settingByKey, type Setting } from './settings.js';

/** The configuration as the YAML file that would give it; with `docs`, each key under its description and names. */
export function configDocument(config: Config, options: { readonly docs: boolean }): string {
  const document = new Document(config);
  if (isMap(document.contents)) annotate(document.contents, [], options.docs);
  return document.toString({ lineWidth: 120, flowCollectionPadding: false });
}

function annotate(map: YAMLMap, path: readonly string[], docs: boolean): void {
  for (const pair of map.items) {
    if (!isPair(pair) || !isScalar(pair.key)) continue;
    const keyPath = [...path, String(pair.key.value)];
    const setting = settingByKey(keyPath.join('.'));
    if (setting === undefined) {
      if (isMap(pair.value)) annotate(pair.value, keyPath, docs);
      continue;
    }
    if (docs) {
      pair.key.commentBefore = comment(setting);
      if (pair !== map.items[0]) pair.key.spaceBefore = true;
    }
  }
}

function comment({ description, variable, flag, placeholder, runtime }: Setting): string {
  const reload = runtime === true ? ', taken over on SIGHUP' : '';
  return ` ${description}\n (${placeholder}; ${variable}, --${flag}${reload})`;
}
