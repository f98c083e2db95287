import { configDocument, configFile, loadConfig, type ConfigSources } from '../config/index.js';

/** `procflow config`: checks the configuration; with `--print`, shows the effective one. */
export function configCommand(
  sources: ConfigSources,
  flags: { readonly print?: true; readonly withDocs?: true },
): void {
  const config = loadConfig(sources);
  if (flags.print === true || flags.withDocs === true) {
    process.stdout.write(configDocument(config, { docs: flags.withDocs === true }));
    return;
  }
  process.stdout.write(`the configuration is valid (file: ${configFile(sources) ?? 'none'})\n`);
}
