/** What a version of ntopng takes. */
import type { Config } from '../../config/index.js';
import { ProcflowError } from '../../errors.js';
import type { Field } from '../template.js';
import type { HeaderVersion, PayloadKind } from './header.js';
import { JsonPayload } from './json.js';
import type { Payload } from './payload.js';
import { TlvPayload } from './tlv.js';

export interface Dialect {
  readonly kind: PayloadKind;
  readonly keys: 'NUMBERS' | 'NAMES';
  readonly header: HeaderVersion;
  /** Octets of the largest payload. */
  readonly limit: number;
  readonly mostRecords: number;
}

/** The oldest ntopng reads 8191 octets, those before 4.0 32 KiB. */
const LIMITS = { '2.0': 8000, '5.4': 32_000 } as const;
/** ntopng has an octet for how many flows were in a message. */
const MOST_RECORDS = 255;
/**
 * A flow that ntopng hears nothing of is gone: in the oldest after a minute. Later ones are told the active timeout, and
 * believe up to ten.
 */
const MOST_ACTIVE_MS = { '2.0': 50_000, '5.4': 600_000 } as const;

/** @throws ProcflowError CONFIG_INVALID for what cannot be together */
export function dialectOf({ ntopng, format, header, jsonLabels }: Config['export']['zmq']): Dialect {
  const isOld = ntopng === '2.0';
  const kind = format === 'auto' ? (isOld || jsonLabels ? 'JSON' : 'TLV') : format === 'tlv' ? 'TLV' : 'JSON';
  const version = header === 'auto' ? (isOld ? 0 : 2) : (Number(header) as HeaderVersion);
  if (kind === 'TLV' && jsonLabels) throw invalid('export.zmq.jsonLabels: only JSON has labels, not the format tlv');
  if (kind === 'TLV' && version === 0)
    throw invalid('export.zmq.header: with header 0 ntopng reads only the format json');
  return {
    kind,
    keys: jsonLabels ? 'NAMES' : 'NUMBERS',
    header: version,
    limit: LIMITS[ntopng],
    // It knows no arrays.
    mostRecords: isOld && kind === 'JSON' ? 1 : MOST_RECORDS,
  };
}

/** The active timeout with which long flows stay. */
export function activeTimeoutFor({ ntopng }: Config['export']['zmq'], activeTimeoutMs: number): number {
  return Math.min(activeTimeoutMs, MOST_ACTIVE_MS[ntopng]);
}

export function payloadOf({ kind, keys, mostRecords }: Dialect, fields: readonly Field[]): Payload {
  return kind === 'TLV' ? new TlvPayload(fields) : new JsonPayload(fields, { keys, isArray: mostRecords > 1 });
}

function invalid(message: string): ProcflowError {
  return new ProcflowError('CONFIG_INVALID', message);
}
