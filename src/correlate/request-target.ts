/** Request targets as they are shown: without what may be secret in them. */
import { makeRedactor } from './redact.js';

export interface TargetRules {
  /** Show what follows the `?`. */
  readonly queryStrings: boolean;
  /** Regular expressions of what is masked, as for command lines. */
  readonly redact: readonly string[];
}

/** `://user:password@` in an absolute target, or within a path. */
const USER_INFO = /(:\/\/)[^/?#]*@/g;
/** `user:password@host:443`, as CONNECT has it. */
const AUTHORITY_USER_INFO = /^[^/?#]*@/;

/** Makes what takes the secrets out of a target: user names and passwords always, the query unless it is wanted. */
export function makeTargetCutter({ queryStrings, redact }: TargetRules): (target: string) => string {
  const redactor = redact.length === 0 ? null : makeRedactor(redact);
  return (target) => {
    const path = queryStrings ? target : withoutQuery(target);
    const plain = path.includes('@') ? withoutUserInfo(path) : path;
    return redactor === null ? plain : (redactor([plain])[0] ?? '');
  };
}

function withoutQuery(target: string): string {
  const query = target.indexOf('?');
  const path = query < 0 ? target : target.slice(0, query);
  const fragment = path.indexOf('#');
  return fragment < 0 ? path : path.slice(0, fragment);
}

function withoutUserInfo(target: string): string {
  return target.replace(USER_INFO, '$1').replace(AUTHORITY_USER_INFO, '');
}
