import { ProcflowError, type ErrorCode } from '../../errors.js';
import { stringify } from '../json.js';

/** An error as RFC 9457 has it. */
export function problemOf(error: ProcflowError): Readonly<Record<string, unknown>> {
  return {
    type: 'about:blank',
    title: error.title,
    status: error.status,
    detail: error.message,
    code: error.code,
    ...(error.errors.length > 0 && { errors: error.errors }),
  };
}

export function problemText(error: ProcflowError): string {
  return `${stringify(problemOf(error))}\n`;
}

/** What body parsers and routers throw, in our words; undefined for what is nobody's mistake but ours. */
export function asProblem(error: unknown): ProcflowError | undefined {
  if (error instanceof ProcflowError) return error;
  if (error instanceof URIError)
    return new ProcflowError('BAD_USER_INPUT', 'the path has a % that is followed by no code');
  if (typeof error !== 'object' || error === null || !('type' in error)) return undefined;
  const known = PARSER_ERRORS[String(error.type)];
  return known && new ProcflowError(known[0], known[1]);
}

const PARSER_ERRORS: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  'entity.too.large': ['PAYLOAD_TOO_LARGE', 'the request body is larger than api.maxBodyBytes allows'],
  'entity.parse.failed': ['BAD_USER_INPUT', 'the request body is not valid JSON'],
  'encoding.unsupported': ['UNSUPPORTED_MEDIA_TYPE', 'the request body has an encoding that is not known'],
  'charset.unsupported': [
    'UNSUPPORTED_MEDIA_TYPE',
    'the request body has a character set that is not known: send UTF-8',
  ],
  'request.aborted': ['BAD_USER_INPUT', 'the request was not sent to its end'],
  'request.size.invalid': ['BAD_USER_INPUT', 'the request body has another length than its header says'],
};
