import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Reloads } from '../../src/commands/reloads.js';
import { loadConfig, thisMachine, type Config } from '../../src/config/index.js';
import { createLog } from '../../src/log.js';
import { temporaryDirectory } from '../temporary.js';

const file = join(temporaryDirectory(), 'procflow.yaml');

test('a reload tells the listeners, one that fails leaves everything as it was', () => {
  const sources = { file, env: {}, flags: [], machine: thisMachine({}) };
  writeFileSync(file, '');
  let logged = '';
  const log = createLog({ level: 'info', format: 'json' }, { write: (line) => (logged += line) });
  const reloads = new Reloads(loadConfig(sources), sources, log);
  const told: Config[] = [];
  const remove = reloads.add((config) => told.push(config));

  writeFileSync(file, 'api: { port: 1 }\nlog: { level: warn }\ncapture: { filter: { keep: { ports: [80] } } }');
  reloads.reload();
  assert.deepEqual(told.at(-1)?.capture.filter.keep.ports, [80]);
  assert.equal(told.at(-1)?.api.port, 7441);
  assert.equal(log.level, 'warn');

  writeFileSync(file, 'log: { levle: info }');
  reloads.reload();
  assert.equal(told.length, 1);
  assert.equal(log.level, 'warn');
  assert.match(logged, /not read again.*did you mean \\"level\\"/);

  remove();
  writeFileSync(file, '');
  reloads.reload();
  assert.equal(told.length, 1);
  assert.equal(log.level, 'info');
});
