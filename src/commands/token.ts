import { loadConfig, type ConfigSources } from '../config/index.js';
import { ProcflowError } from '../errors.js';
import { didYouMean, printable } from '../text.js';
import { createToken, isScope, readTokens, revokeToken, SCOPES, type Scope } from '../tokens.js';

/** `procflow token create`: prints the token alone on standard output, so that a script can take it. */
export function tokenCreate(
  sources: ConfigSources,
  flags: { readonly name: string; readonly scope: readonly string[] },
): void {
  const file = loadConfig(sources).api.tokensFile;
  const secret = createToken(file, flags.name, flags.scope.flatMap((text) => text.split(',')).map(scopeOf));
  process.stdout.write(`${secret}\n`);
  process.stderr.write(
    `Keep it, it is not shown again. Use: -H "Authorization: Bearer TOKEN". Its hash is in ${printable(file)}\n`,
  );
}

function scopeOf(text: string): Scope {
  if (isScope(text)) return text;
  throw new ProcflowError(
    'USAGE',
    `there is no scope "${printable(text)}" (there are ${SCOPES.join(', ')})${didYouMean(text, SCOPES)}`,
  );
}

/** `procflow token list` */
export function tokenList(sources: ConfigSources): void {
  const file = loadConfig(sources).api.tokensFile;
  const tokens = readTokens(file);
  if (tokens.length === 0) process.stderr.write(`no tokens in ${printable(file)}\n`);
  for (const { name, scopes, createdAt } of tokens) {
    process.stdout.write(`${name}\t${scopes.join(',')}\t${createdAt}\n`);
  }
}

/** `procflow token revoke NAME` */
export function tokenRevoke(sources: ConfigSources, name: string): void {
  revokeToken(loadConfig(sources).api.tokensFile, name);
  process.stderr.write(`revoked ${name}\n`);
}
