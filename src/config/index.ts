/** The configuration: one schema behind the YAML file, the environment and the flags. */
export { fromSet, type Assignment } from './assignments.js';
export { configDocument } from './document.js';
export { configFile, loadConfig, type ConfigSources } from './load.js';
export { DEFAULT_CONFIG_FILE, thisMachine, type Machine } from './machine.js';
export { reloadConfig, type Reloaded } from './reload.js';
export type { Config } from './schema.js';
export { SETTINGS, type Setting } from './settings.js';
