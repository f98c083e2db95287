import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { ProcflowError } from './errors.js';
import { didYouMean, printable } from './text.js';

/** What a token may be allowed. */
export const SCOPES = ['flows:read', 'processes:read', 'cmdline:read', 'actions', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

export function isScope(text: string): text is Scope {
  return (SCOPES as readonly string[]).includes(text);
}

/** A token as it is kept: what it may do, and the hash to know it by. */
export interface Token {
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** RFC 3339. */
  readonly createdAt: string;
  /** SHA-256 of the whole token, in hex. */
  readonly sha256: string;
}

const fileSchema = z.strictObject({
  version: z.literal(1),
  tokens: z.array(
    z.strictObject({
      name: z.string().min(1),
      scopes: z.array(z.enum(SCOPES)),
      createdAt: z.iso.datetime(),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
    }),
  ),
});

/**
 * The tokens of a file; none when there is no file.
 * @throws ProcflowError TOKENS_INVALID when it cannot be read or is not a tokens file
 */
export function readTokens(file: string): readonly Token[] {
  try {
    return fileSchema.parse(JSON.parse(readFileSync(file, 'utf8'))).tokens;
  } catch (cause) {
    if (isErrno(cause, 'ENOENT')) return [];
    const reason = cause instanceof z.ZodError ? z.prettifyError(cause) : cause instanceof Error ? cause.message : '';
    throw new ProcflowError('TOKENS_INVALID', `the tokens file ${printable(file)} cannot be used: ${reason}`, {
      cause,
    });
  }
}

/**
 * Makes a token and adds it to the file.
 * @returns the token itself, which is kept nowhere
 * @throws ProcflowError USAGE for a name that is taken or unfit, or without a scope
 */
export function createToken(file: string, name: string, scopes: readonly Scope[], now = new Date()): string {
  if (!/^[\w.@-]{1,64}$/.test(name)) {
    throw new ProcflowError('USAGE', `a token's name is 1 to 64 letters, digits and _ . @ -, not "${printable(name)}"`);
  }
  if (scopes.length === 0) throw new ProcflowError('USAGE', `a token needs a scope: ${SCOPES.join(', ')}`);
  const tokens = readTokens(file);
  if (tokens.some((token) => token.name === name)) {
    throw new ProcflowError(
      'USAGE',
      `there is a token called "${name}" already; revoke it first, or take another name`,
    );
  }
  const secret = `pf_${randomBytes(32).toString('base64url')}`;
  const added: Token = {
    name,
    scopes: [...new Set(scopes)],
    createdAt: now.toISOString(),
    sha256: hash(secret).toString('hex'),
  };
  writeTokens(file, [...tokens, added]);
  return secret;
}

/**
 * Takes a token out of the file.
 * @throws ProcflowError NOT_FOUND when there is none by that name
 */
export function revokeToken(file: string, name: string): void {
  const tokens = readTokens(file);
  const kept = tokens.filter((token) => token.name !== name);
  if (kept.length === tokens.length) {
    const hint = didYouMean(
      name,
      tokens.map((token) => token.name),
    );
    throw new ProcflowError('NOT_FOUND', `there is no token called "${printable(name)}" in ${printable(file)}${hint}`);
  }
  writeTokens(file, kept);
}

/** The token that a secret belongs to. All are compared, so that the time taken tells nothing of where it failed. */
export function verifyToken(tokens: readonly Token[], secret: string): Token | undefined {
  const given = hash(secret);
  let found: Token | undefined;
  for (const token of tokens) {
    if (timingSafeEqual(given, Buffer.from(token.sha256, 'hex'))) found = token;
  }
  return found;
}

/** Whether a token's scopes allow something that needs `scope`; admin allows everything. */
export function allows(scopes: readonly Scope[], scope: Scope): boolean {
  return scopes.includes(scope) || scopes.includes('admin');
}

function hash(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

/** Written aside and renamed: a reader sees the old file or the new one, and a full disk leaves the old one. */
function writeTokens(file: string, tokens: readonly Token[]): void {
  const aside = `${file}.${process.pid}.new`;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o755 });
    // `wx`: a file that lies there already could be somebody's link to elsewhere.
    rmSync(aside, { force: true });
    writeFileSync(aside, `${JSON.stringify({ version: 1, tokens }, undefined, 2)}\n`, { mode: 0o600, flag: 'wx' });
    renameSync(aside, file);
  } catch (cause) {
    rmSync(aside, { force: true });
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ProcflowError('TOKENS_INVALID', `the tokens file ${printable(file)} cannot be written: ${reason}`, {
      cause,
    });
  }
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
