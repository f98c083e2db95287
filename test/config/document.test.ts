import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configDocument } from '../../src/config/document.js';
import { yamlLayer } from '../../src/config/file.js';
import { configFrom } from '../../src/config/load.js';
import { SETTINGS, thisMachine } from '../../src/config/index.js';

const machine = thisMachine({});
const config = configFrom([yamlLayer('api: { port: 9, socket: off }\nprocesses: { redact: ["p: #"] }', 'x')], machine);

test('what is printed gives the same configuration when it is read', () => {
  for (const docs of [false, true]) {
    assert.deepEqual(configFrom([yamlLayer(configDocument(config, { docs }), 'printed')], machine), config);
  }
});

test('with docs, every key stands under its description, its variable and its flag', () => {
  const text = configDocument(config, { docs: true });
  for (const { description, variable, flag } of SETTINGS) {
    assert.ok(text.includes(`# ${description}\n`), description);
    assert.ok(text.includes(`${variable}, --${flag}`), flag);
  }
});
