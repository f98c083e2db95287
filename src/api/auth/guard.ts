/**
 * Who may ask at all. A daemon on the loopback address is within reach of every web page that the machine's user opens, so
 * two headers that pages cannot forge are looked at: Host must be a name we go by (against DNS rebinding, where a page's own
 * name is made to point at 127.0.0.1), and Origin, when there is one, must be our own. No cookies, no CORS.
 */
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { ProcflowError } from '../../errors.js';
import { LOCAL, type Door, type Principal } from './principal.js';
import type { TokenVerifier } from './tokens-file.js';

export interface GuardOptions {
  readonly listenHost: string;
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
  readonly tokens: TokenVerifier;
}

export class Guard {
  readonly #hosts: ReadonlySet<string>;
  readonly #origins: ReadonlySet<string>;

  constructor(private readonly options: GuardOptions) {
    const names = ['localhost', '127.0.0.1', '::1', options.listenHost, ...options.allowedHosts];
    this.#hosts = new Set(names.map((name) => bareHost(name)));
    this.#origins = new Set(options.allowedOrigins.map((origin) => origin.toLowerCase().replace(/\/$/, '')));
  }

  /** @throws ProcflowError HOST_NOT_ALLOWED or ORIGIN_NOT_ALLOWED */
  checkHeaders(request: IncomingMessage, door: Door): void {
    const { host, origin } = request.headers;
    // Nobody's page reaches a unix socket.
    if (door !== 'unix' && !this.#isOurs(host, request.socket.localAddress)) {
      const shown = host === undefined ? 'none' : JSON.stringify(host.slice(0, 100));
      throw new ProcflowError(
        'HOST_NOT_ALLOWED',
        `the Host header is ${shown}; names of this agent are listed in api.allowedHosts`,
      );
    }
    if (origin !== undefined && !this.#isAllowedOrigin(origin, host)) {
      const shown = JSON.stringify(origin.slice(0, 100));
      throw new ProcflowError(
        'ORIGIN_NOT_ALLOWED',
        `pages of ${shown} may not use this agent; allowed ones are listed in api.allowedOrigins`,
      );
    }
  }

  /** @throws ProcflowError UNAUTHENTICATED for a wrong token, and for none where one is needed */
  authenticate(request: IncomingMessage, door: Door): Principal {
    const { authorization } = request.headers;
    if (authorization !== undefined) return this.verify(authorization);
    if (door !== 'network') return LOCAL;
    throw new ProcflowError('UNAUTHENTICATED', 'this address needs a token: send "Authorization: Bearer pf_…"');
  }

  /** The principal of an Authorization header's value. @throws ProcflowError UNAUTHENTICATED */
  verify(authorization: string): Principal {
    const secret = /^Bearer +(\S+)$/i.exec(authorization.trim())?.[1];
    const token = secret === undefined ? undefined : this.options.tokens.verify(secret);
    if (token === undefined)
      throw new ProcflowError('UNAUTHENTICATED', 'the token is not known; procflow token create makes one');
    return { name: token.name, scopes: token.scopes };
  }

  #isOurs(header: string | undefined, localAddress: string | undefined): boolean {
    if (header === undefined) return false;
    const host = bareHost(header);
    if (this.#hosts.has(host)) return true;
    // Listening on all addresses: the one that the connection came in by. Rebinding needs a name, an address is none.
    return localAddress !== undefined && isIP(host) !== 0 && host === bareHost(localAddress);
  }

  #isAllowedOrigin(origin: string, host: string | undefined): boolean {
    const given = origin.toLowerCase();
    if (this.#origins.has(given)) return true;
    const parts = /^https?:\/\/(.+)$/.exec(given);
    return parts !== null && host !== undefined && parts[1] === host.toLowerCase();
  }
}

/** A host without port, brackets, trailing dot and the prefix of IPv4-mapped addresses. */
function bareHost(text: string): string {
  const lower = text.trim().toLowerCase();
  const bracketed = /^\[([^\]]+)\](?::\d*)?$/.exec(lower)?.[1];
  const bare = bracketed ?? (isIP(lower) === 6 ? lower : lower.replace(/:\d*$/, ''));
  return bare.replace(/\.$/, '').replace(/^::ffff:(?=\d+\.)/, '');
}

export function isLoopback(host: string): boolean {
  const bare = bareHost(host);
  return bare === 'localhost' || bare === '::1' || /^127(?:\.\d{1,3}){3}$/.test(bare);
}
