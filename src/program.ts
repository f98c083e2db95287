import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { addConfigOptions } from './commands/options.js';
import { ProcflowError } from './errors.js';
import { didYouMean, printable } from './text.js';
import { SCOPES } from './tokens.js';

/** The command line: parses and hands over; what a command does is in `commands/`, loaded when it is called. */
export function createProgram(): Command {
  const program = new Command('procflow')
    .description('Network flows bound to the processes and users behind them.')
    .version(packageVersion(), '--version')
    .configureHelp({ sortSubcommands: false })
    .addHelpText('after', EXAMPLES)
    // Thrown, so that main.ts alone decides how to end.
    .exitOverride();
  addRun(program);
  addRecord(program);
  addDoctor(program);
  addToken(program);
  addConfig(program);
  addElements(program);
  return program;
}

const EXAMPLES = `
Examples:
  procflow                                       run the agent, API on 127.0.0.1:7441
  procflow run --port 9000 --log-level debug
  procflow run --capture-filter-keep-ports 80,443
  procflow run --set api.maxPageSize=500         any key of the configuration
  procflow record traffic.rec                    write what the kernel tells to a file
  procflow run --replay traffic.rec --speed full
  procflow -n collector:4739 -V 10 -T '%IPV4_SRC_ADDR %IPV4_DST_ADDR %IN_BYTES @PROCESS@'
  procflow elements                              what a template may name
  procflow doctor                                what kernel and privileges allow
  procflow token create --name bot --scope flows:read processes:read
  procflow config --print --with-docs            every key with its description

  curl 'http://127.0.0.1:7441/v1/flows?process=curl'`;

function addRun(program: Command): void {
  const command = program.command('run', { isDefault: true }).description('run the agent (default)');
  command
    .addOption(new Option('--replay <file>', 'feed a recording through instead of capturing'))
    .addOption(new Option('--speed <speed>', 'how fast to replay').choices(['real', 'full']))
    // The default command gets every first word that is no command: it says so better than "too many arguments".
    .allowExcessArguments();
  const sources = addConfigOptions(command);
  command.action(async (options: { replay?: string; speed?: 'real' | 'full' }) => {
    refuseUnknownCommand(program, command.args[0]);
    const { run } = await import('./commands/run.js');
    await run(sources(), options);
  });
}

function refuseUnknownCommand(program: Command, word: string | undefined): void {
  if (word === undefined) return;
  const known = program.commands.map((command) => command.name());
  throw new ProcflowError('USAGE', `there is no command "${printable(word)}"${didYouMean(word, known)}`);
}

function addRecord(program: Command): void {
  const command = program
    .command('record')
    .description('write what capture gives to a file, for run --replay')
    .argument('<file>', 'file to write; it must not exist yet');
  const sources = addConfigOptions(command);
  command.action(async (file: string) => {
    const { recordCommand } = await import('./commands/record.js');
    await recordCommand(sources(), file);
  });
}

function addDoctor(program: Command): void {
  const command = program
    .command('doctor')
    .description('tell what kernel and privileges allow, and what to do about the rest')
    .option('--json', 'print the report as JSON');
  const sources = addConfigOptions(command, { hidden: true });
  command.action(async (options: { json?: true }) => {
    const { doctorCommand } = await import('./commands/doctor.js');
    await doctorCommand(sources(), options);
  });
}

function addToken(program: Command): void {
  const token = program.command('token').description('make, list and revoke access tokens');
  const create = token
    .command('create')
    .description('make a token and print it, this once')
    .requiredOption('--name <name>', 'what to call it')
    .requiredOption('--scope <scope...>', `what it allows: ${SCOPES.join(', ')}`);
  const list = token.command('list').description('list the tokens with their scopes');
  const revoke = token.command('revoke').description('take a token back').argument('<name>');

  const createSources = addConfigOptions(create, { hidden: true });
  create.action(async (options: { name: string; scope: string[] }) => {
    const { tokenCreate } = await import('./commands/token.js');
    tokenCreate(createSources(), options);
  });
  const listSources = addConfigOptions(list, { hidden: true });
  list.action(async () => {
    const { tokenList } = await import('./commands/token.js');
    tokenList(listSources());
  });
  const revokeSources = addConfigOptions(revoke, { hidden: true });
  revoke.action(async (name: string) => {
    const { tokenRevoke } = await import('./commands/token.js');
    tokenRevoke(revokeSources(), name);
  });
}

function addConfig(program: Command): void {
  const command = program
    .command('config')
    .description('check the configuration, or print the effective one')
    .option('--print', 'print it as YAML')
    .option('--with-docs', 'print it with each key described');
  const sources = addConfigOptions(command, { hidden: true });
  command.action(async (options: { print?: true; withDocs?: true }) => {
    const { configCommand } = await import('./commands/config.js');
    configCommand(sources(), options);
  });
}

function addElements(program: Command): void {
  program
    .command('elements')
    .description('list what the template of an export may name')
    .option('--json', 'print them as JSON')
    .option('--markdown', 'print them as a table in Markdown')
    .action(async (options: { json?: true; markdown?: true }) => {
      const { elementsCommand } = await import('./commands/elements.js');
      elementsCommand(options);
    });
}

function packageVersion(): string {
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
