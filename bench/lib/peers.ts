import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { Child } from './children.js';
import type { Cpus } from './cpus.js';
import { temporaryFolder } from './temporary.js';
import type { RunningTool, Tool } from './tool.js';

const READY_TIMEOUT_MS = 20_000;
/** From the moment that a program says it listens until it does. */
const SETTLE_MS = 100;

/** No tool: how far the machine's noise alone takes a ratio from 1. */
export const nothing: Tool = {
  name: 'nothing',
  start: () =>
    Promise.resolve({ pid: process.pid, losses: () => Promise.resolve(null), stop: () => Promise.resolve() }),
};

/** A flow probe on packet sockets, exporting NetFlow to a port where nobody minds. */
export const softflowd: Tool = {
  name: 'softflowd',
  async start(cpus: Cpus): Promise<RunningTool> {
    const folder = temporaryFolder();
    const collector = createSocket('udp4').bind(0, '127.0.0.1');
    await once(collector, 'listening');
    const target = `127.0.0.1:${collector.address().port}`;
    const files = ['-p', join(folder.path, 'pid'), '-c', join(folder.path, 'control')];
    const close = async (): Promise<void> => {
      collector.close();
      await folder.remove();
    };
    return startPeer('softflowd', ['-d', '-i', 'lo', '-n', target, ...files], cpus, close);
  },
};

/** Every packet copied to user space and thrown away. */
export const tcpdump: Tool = {
  name: 'tcpdump',
  start: (cpus) => startPeer('tcpdump', ['-i', 'lo', '-w', '/dev/null', '-Z', 'root'], cpus, () => Promise.resolve()),
};

async function startPeer(
  program: string,
  args: readonly string[],
  cpus: Cpus,
  close: () => Promise<void>,
): Promise<RunningTool> {
  try {
    const child = await Child.start(program, args, { cpu: cpus.others });
    await child.until(() => child.said !== '', READY_TIMEOUT_MS);
    await sleep(SETTLE_MS);
    if (!child.running) throw new Error(`${program} ended: ${child.said}`);
    const stop = async (): Promise<void> => {
      await child.stop();
      await close();
    };
    return { pid: child.pid, losses: () => Promise.resolve(null), stop };
  } catch (error) {
    await close();
    throw error;
  }
}
