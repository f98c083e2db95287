import assert from 'node:assert/strict';
import { test } from 'node:test';
import { yamlLayer } from '../../src/config/file.js';
import { reloadConfig, thisMachine, type Config } from '../../src/config/index.js';
import { configFrom } from '../../src/config/load.js';

const configOf = (yaml: string): Config => configFrom([yamlLayer(yaml, 'x')], thisMachine({}));

test('a running agent takes filters, redaction and log level over, and keeps the rest', () => {
  const current = configOf('api: { port: 1 }\ncapture: { filter: { keep: { ports: [1] } } }');
  const fresh = configOf(
    'api: { port: 2 }\ncapture: { filter: { loopback: false } }\nlog: { level: warn }\nprocesses: { redact: [x] }',
  );
  const { config, changed, needRestart } = reloadConfig(current, fresh);
  assert.deepEqual(changed, ['capture.filter.keep.ports', 'capture.filter.loopback', 'processes.redact', 'log.level']);
  assert.deepEqual(needRestart, ['api.port']);
  assert.deepEqual(config, { ...fresh, api: current.api });
  assert.equal(current.log.level, 'info');
});

test('nothing changed is nothing to do', () => {
  const current = configOf('');
  assert.deepEqual(reloadConfig(current, configOf('')), { config: current, changed: [], needRestart: [] });
});
