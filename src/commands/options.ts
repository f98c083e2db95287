import { Option, type Command } from 'commander';
import { fromSet, SETTINGS, thisMachine, type Assignment, type ConfigSources, type Setting } from '../config/index.js';

/** Short names for what is set most; those of exports are nProbe's. */
const ALIASES: Readonly<Record<string, string>> = {
  'api.port': '-p, --port',
  'api.host': '--host',
  'api.socket': '--socket',
  'capture.source': '--source',
  'export.to': '-n, --export',
  'export.version': '-V, --netflow-version',
  'export.template': '-T, --template',
  'flows.activeTimeoutMs': '-t, --active-timeout',
  'flows.idleTimeoutMs': '-d, --idle-timeout',
  'export.zmq.format': '--zmq-format',
  'export.zmq.probeMode': '--zmq-probe-mode',
  'export.zmq.encryptionKey': '--zmq-encryption-key',
  'export.zmq.jsonLabels': '--json-labels',
};

/** In nProbe these take seconds; everywhere else here a number without a unit is milliseconds. */
const IN_SECONDS: ReadonlySet<string> = new Set(['active-timeout', 'idle-timeout']);

/**
 * Gives a command a flag for each setting, `--config` and `--set`.
 * @returns what to call in the action: the sources of the configuration, with the flags in their order
 */
export function addConfigOptions(command: Command, { hidden = false } = {}): () => ConfigSources {
  const flags: Assignment[] = [];
  const add = (option: Option, take: (text: string | undefined) => Assignment): void => {
    command.addOption(option.hideHelp(option.hidden || hidden));
    command.on(`option:${option.name()}`, (text?: string) => flags.push(take(text)));
  };

  command.addOption(new Option('-c, --config <file>', 'YAML file to read').helpGroup('Configuration:'));
  add(
    new Option('--set <key=value>', 'set any key of the configuration').helpGroup('Configuration:').argParser(last),
    (text = '') => fromSet(text),
  );
  // Endpoints as nProbe has them.
  const zmq = new Option('--zmq <endpoints>', 'as --export, for ntopng: tcp://*:5556').helpGroup('Configuration:');
  add(zmq.argParser(last), (text = '') => ({ key: 'export.to', text: zmqDestinations(text), origin: '--zmq' }));
  for (const setting of SETTINGS) {
    for (const option of optionsOf(setting)) {
      const negated = option.negate ? 'false' : 'true';
      const inUnit = IN_SECONDS.has(option.name()) ? withSeconds : (text: string) => text;
      add(option, (text) => ({ key: setting.key, text: inUnit(text ?? negated), origin: `--${option.name()}` }));
    }
  }
  return () => {
    const file = command.opts<{ config?: string }>().config;
    return { file, env: process.env, flags, machine: thisMachine() };
  };
}

function optionsOf(setting: Setting): Option[] {
  const { description, flag, kind, placeholder } = setting;
  const group = `Configuration, ${setting.path.slice(0, -1).join('.')}:`;
  const alias = ALIASES[setting.key];
  if (kind === 'boolean') {
    const long = new Option(`--${flag}`, description).helpGroup(group);
    const no = new Option(`--no-${flag}`, 'not so').helpGroup(group).hideHelp();
    if (alias === undefined) return [long, no];
    return [new Option(alias, description).helpGroup('Configuration:'), long.hideHelp(), no];
  }
  const long = new Option(`--${flag} <${placeholder}>`, description).helpGroup(group).argParser(last);
  if (alias === undefined) return [long];
  const short = new Option(`${alias} <${placeholder}>`, description).helpGroup('Configuration:').argParser(last);
  return [short, long.hideHelp()];
}

/** Several are separated by commas. */
function zmqDestinations(text: string): string {
  return text
    .split(',')
    .map((endpoint) => endpoint.trim().replace(/^(?=(?:tcp|ipc):)/i, 'zmq+'))
    .join(',');
}

/** A number without a unit. */
function withSeconds(text: string): string {
  return /^\d+$/.test(text) ? `${text}s` : text;
}

/** Values are taken in the order given, by the listeners above; commander keeps only the last. */
function last(text: string): string {
  return text;
}
