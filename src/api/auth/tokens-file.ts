import { statSync } from 'node:fs';
import { readTokens, verifyToken, type Token } from '../../tokens.js';

/** Knows tokens by their secret. */
export interface TokenVerifier {
  /** Whether there is any token at all. @throws ProcflowError TOKENS_INVALID */
  isConfigured(): boolean;
  /** The token that a secret belongs to. @throws ProcflowError TOKENS_INVALID */
  verify(secret: string): Token | undefined;
}

/** The tokens of a file, read again when the file has changed: a revoked token is refused at once. */
export class TokensFile implements TokenVerifier {
  #tokens: readonly Token[] = [];
  #stamp = '';

  constructor(private readonly file: string) {}

  isConfigured(): boolean {
    return this.#current().length > 0;
  }

  verify(secret: string): Token | undefined {
    return verifyToken(this.#current(), secret);
  }

  #current(): readonly Token[] {
    const stamp = stampOf(this.file);
    if (stamp !== this.#stamp) {
      this.#tokens = readTokens(this.file);
      this.#stamp = stamp;
    }
    return this.#tokens;
  }
}

/** Replaced by a rename each time it is written, so that the inode changes too. */
function stampOf(file: string): string {
  const stats = statSync(file, { throwIfNoEntry: false, bigint: true });
  return stats === undefined ? 'none' : `${stats.ino}:${stats.mtimeNs}:${stats.size}`;
}
