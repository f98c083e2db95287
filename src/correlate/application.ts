/** What application a conversation carries, as its first packets tell nDPI. */
import { APPLICATION_FLAG } from '../capture/layout.js';
import type { Batch } from '../capture/batch.js';

/** How the application was told, worst first: by port, by address, by an earlier conversation, by the packets. */
export type ApplicationConfidence = 'PORT' | 'ADDRESS' | 'CACHE' | 'PACKETS';

/** Never changed once made: equal ones are shared by many flows. */
export interface Application {
  /** nDPI's number of what is named by `name`. */
  readonly id: number;
  /** The protocol spoken (nDPI's name, such as TLS or DNS). */
  readonly protocol: string;
  /** What is served over it (Google), or the protocol when that is not known. */
  readonly name: string;
  /** nDPI's category, such as Web; null when it has none. */
  readonly category: string | null;
  /** Null when nDPI did not say. */
  readonly confidence: ApplicationConfidence | null;
  /** Server name indication of TLS or QUIC; null without. */
  readonly serverName: string | null;
  /** Protocols that the client offers within TLS or QUIC; null when it offers none. */
  readonly alpn: readonly string[] | null;
  /** Such as TLSv1.3; null when it is no TLS. */
  readonly tlsVersion: string | null;
  /** Host header of the first HTTP request. */
  readonly httpHost: string | null;
  /** User-Agent header of the first HTTP request. */
  readonly httpUserAgent: string | null;
  /** Name asked for by the latest DNS query. */
  readonly dnsQuery: string | null;
  /** RCODE of its answer: 0 no error, 3 no such name. */
  readonly dnsReplyCode: number | null;
  /** Identification string of the SSH client, such as SSH-2.0-OpenSSH_9.2. */
  readonly sshClient: string | null;
  /** Identification string of the SSH server. */
  readonly sshServer: string | null;
}

/** nDPI's ndpi_confidence_t. */
const CONFIDENCES: readonly (ApplicationConfidence | null)[] = [null, 'PORT', 'ADDRESS', 'CACHE', 'PACKETS'];
/** Most flows of a host carry one of few applications; with names in them there are more. */
const MAX_SHARED = 10_000;

/** Makes applications of rows, one object for equal ones. */
export class Applications {
  private readonly shared = new Map<string, Application>();

  /** The application that a row tells of; null when nDPI does not know it. */
  read(batch: Batch, row: number): Application | null {
    const table = batch.application;
    if (table.applicationId[row] === 0 && table.protocolId[row] === 0) return null;
    const above = batch.text(table.application[row] as number);
    const below = batch.text(table.protocol[row] as number);
    const name = above ?? below;
    if (name === null) return null;
    const replyCode = table.dnsReplyCode[row] as number;
    const guessed = ((table.flags[row] as number) & APPLICATION_FLAG.guessed) !== 0;
    return this.unique({
      id: (table.applicationId[row] as number) || (table.protocolId[row] as number),
      protocol: below ?? name,
      name,
      category: batch.text(table.category[row] as number),
      confidence: CONFIDENCES[table.confidence[row] as number] ?? (guessed ? 'PORT' : null),
      serverName: batch.text(table.serverName[row] as number),
      alpn: listOf(batch.text(table.alpn[row] as number)),
      tlsVersion: batch.text(table.tlsVersion[row] as number),
      httpHost: batch.text(table.httpHost[row] as number),
      httpUserAgent: batch.text(table.httpUserAgent[row] as number),
      dnsQuery: batch.text(table.dnsQuery[row] as number),
      dnsReplyCode: replyCode < 0 ? null : replyCode,
      sshClient: batch.text(table.sshClient[row] as number),
      sshServer: batch.text(table.sshServer[row] as number),
    });
  }

  private unique(application: Application): Application {
    const key = JSON.stringify(application);
    const known = this.shared.get(key);
    if (known !== undefined) return known;
    if (this.shared.size >= MAX_SHARED) this.shared.clear();
    this.shared.set(key, application);
    return application;
  }
}

function listOf(text: string | null): readonly string[] | null {
  const names = text?.split(',').filter((name) => name !== '') ?? [];
  return names.length === 0 ? null : names;
}
