import type { Cpus } from './cpus.js';
import { startNginx } from './nginx.js';
import { Workload } from './workload.js';

/** One kind of traffic that the capture benchmark measures, with its aim. */
export interface Traffic {
  readonly name: string;
  /** Of the throughput without the agent, what must be left with the whole agent. */
  readonly aim: number;
  start(cpus: Cpus): Promise<{ readonly workload: Workload; stop(): Promise<void> }>;
}

export const TRAFFIC: readonly Traffic[] = [
  { name: 'bulk TCP, 128 KiB', aim: 0.99, start: ours('bulk') },
  { name: 'request/response, 64 B', aim: 0.94, start: ours('echo') },
  { name: 'nginx keep-alive', aim: 0.98, start: http },
  { name: 'connections', aim: 0.93, start: ours('connections') },
  { name: 'UDP 64 B, connected', aim: 0.95, start: ours('udp-connected') },
  { name: 'UDP 64 B, unconnected', aim: 0.95, start: ours('udp-unconnected') },
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
