import type { Cpus } from './cpus.js';
import { startNginx } from './nginx.js';
import { Workload } from './workload.js';

export type TrafficName =
  | 'bulk TCP, 128 KiB'
  | 'request/response, 64 B'
  | 'nginx keep-alive'
  | 'connections'
  | 'UDP 64 B, connected'
  | 'UDP 64 B, unconnected';

/** One kind of traffic. */
export interface Traffic {
  readonly name: TrafficName;
  start(cpus: Cpus): Promise<{ readonly workload: Workload; stop(): Promise<void> }>;
}

export const TRAFFIC: readonly Traffic[] = [
  { name: 'bulk TCP, 128 KiB', start: ours('bulk') },
  { name: 'request/response, 64 B', start: ours('echo') },
  { name: 'nginx keep-alive', start: http },
  { name: 'connections', start: ours('connections') },
  { name: 'UDP 64 B, connected', start: ours('udp-connected') },
  { name: 'UDP 64 B, unconnected', start: ours('udp-unconnected') },
];

/** Traffic with both ends in our own program. */
function ours(mode: string): Traffic['start'] {
  return async (cpus) => {
    const workload = await Workload.start({ mode, cpu: cpus.workload }, cpus.others);
    return { workload, stop: () => workload.stop() };
  };
}

async function http(cpus: Cpus): ReturnType<Traffic['start']> {
  const nginx = await startNginx(cpus.workload);
  try {
    const options = { mode: 'http', cpu: cpus.workload, port: nginx.port, also: nginx.workerPid };
    const workload = await Workload.start(options, cpus.others);
    const stop = async (): Promise<void> => {
      await workload.stop();
      await nginx.stop();
    };
    return { workload, stop };
  } catch (error) {
    await nginx.stop();
    throw error;
  }
}

export function trafficNamed(name: TrafficName): Traffic {
  const traffic = TRAFFIC.find((each) => each.name === name);
  if (traffic === undefined) throw new Error(`there is no traffic "${name}"`);
  return traffic;
}
