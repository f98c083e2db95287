/** Certificates of the tests' own authorities, made by openssl. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Certificate {
  readonly cert: string;
  readonly key: string;
  readonly certFile: string;
  readonly keyFile: string;
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

export class Authority {
  private count = 0;
  readonly file: string;
  private readonly key: string;

  constructor(
    private readonly directory: string,
    private readonly name: string,
  ) {
    this.file = join(directory, `${name}.pem`);
    this.key = join(directory, `${name}.key`);
    openssl('req', '-x509', ...KEY, '-keyout', this.key, '-out', this.file, '-subj', `/CN=${name}`, '-days', '1');
  }

  get cert(): string {
    return readFileSync(this.file, 'utf8');
  }

  /** `names` as in subjectAltName, such as `DNS:localhost`; `days` 0 has expired already. */
  issue(names: string, days = 1): Certificate {
    const base = join(this.directory, `${this.name}-${this.count++}`);
    const [keyFile, request, extensions, certFile] = ['key', 'csr', 'ext', 'crt'].map((end) => `${base}.${end}`) as [
      string,
      string,
      string,
      string,
    ];
    writeFileSync(extensions, `subjectAltName=${names}\n`);
    openssl('req', ...KEY, '-keyout', keyFile, '-out', request, '-subj', '/CN=collector');
    const by = ['-CA', this.file, '-CAkey', this.key, '-CAcreateserial'];
    openssl('x509', '-req', '-in', request, ...by, '-days', String(days), '-extfile', extensions, '-out', certFile);
    return { cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8'), certFile, keyFile };
  }
}

function openssl(...args: readonly string[]): void {
  execFileSync('openssl', args, { stdio: 'pipe' });
}
