import type { ApiConfig, TokenVerifier } from '../../src/api/index.js';
import type { Token } from '../../src/tokens.js';

export const CONFIG: ApiConfig = {
  host: '127.0.0.1',
  port: 0,
  socket: null,
  socketGroup: null,
  allowedHosts: ['procflow.example'],
  allowedOrigins: ['https://board.example'],
  maxDepth: 12,
  maxCost: 500_000,
  maxPageSize: 10_000,
  maxBodyBytes: 256 * 1024,
  queryTimeoutMs: 5000,
  maxConnections: 4096,
  maxSubscriptionsPerConnection: 5,
  subscriberBufferEvents: 10_000,
};

/** Tokens by their secret, without a file. */
export class FakeTokens implements TokenVerifier {
  constructor(private readonly tokens: Readonly<Record<string, Token['scopes']>> = {}) {}

  isConfigured(): boolean {
    return Object.keys(this.tokens).length > 0;
  }

  verify(secret: string): Token | undefined {
    const scopes = this.tokens[secret];
    return scopes && { name: secret, scopes, createdAt: '2026-11-23T00:00:00.000Z', sha256: '' };
  }
}
