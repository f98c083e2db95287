import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Child } from './children.js';
import { freePort } from './ports.js';
import { temporaryFolder } from './temporary.js';

const READY_TIMEOUT_MS = 20_000;
const PROGRAM = '/usr/sbin/nginx';

export interface Nginx {
  readonly port: number;
  readonly workerPid: number;
  stop(): Promise<void>;
}

/** A web server of one worker that answers with a few bytes, over connections that it keeps open. */
export async function startNginx(cpu: number): Promise<Nginx> {
  if (!existsSync(PROGRAM)) throw new Error(`${PROGRAM} is not installed: apt-get install nginx-light`);
  const folder = temporaryFolder();
  const port = await freePort();
  const config = join(folder.path, 'nginx.conf');
  writeFileSync(config, configuration(folder.path, port));
  try {
    // The worker inherits the CPU from the master.
    const master = await Child.start(PROGRAM, ['-p', folder.path, '-c', config], { cpu });
    await master.until(() => workerOf(master.pid) !== undefined, READY_TIMEOUT_MS);
    const stop = async (): Promise<void> => {
      await master.stop();
      await folder.remove();
    };
    return { port, workerPid: workerOf(master.pid) ?? 0, stop };
  } catch (error) {
    await folder.remove();
    throw error;
  }
}

function workerOf(masterPid: number): number | undefined {
  const children = readFileSync(`/proc/${masterPid}/task/${masterPid}/children`, 'utf8').trim();
  return children === '' ? undefined : Number(children.split(' ')[0]);
}

function configuration(folder: string, port: number): string {
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `
user root;
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr warn;
events { worker_connections 64; }
http {
    access_log off;
    keepalive_requests 1000000000;
    ${paths.map((name) => `${name}_temp_path ${folder}/${name};`).join('\n    ')}
    server {
        listen 127.0.0.1:${port};
        location / { return 200 "hello, world\\n"; }
    }
}
`;
}
