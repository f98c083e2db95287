import { run } from './children.js';

/** One end of a pair of network namespaces. */
export interface Namespace {
  readonly name: string;
  readonly interface: string;
  readonly v4: string;
  readonly v6: string;
}

export interface NamespacePair {
  readonly client: Namespace;
  readonly server: Namespace;
  /** Makes the client believe that an address is a neighbour's; nobody answers there. */
  addSilentNeighbour(v4: string): Promise<void>;
  remove(): Promise<void>;
}

let made = 0;

/**
 * Two network namespaces with a veth between them, and nothing else: no address of the host or of any other network is
 * reachable. Without offloads, so that a capture sees what goes over a wire.
 */
export async function makeNamespacePair(): Promise<NamespacePair> {
  const id = `pf${process.pid}x${made++}`;
  // Blocks for tests and documentation (RFC 2544, RFC 3849).
  const client = { name: `${id}c`, interface: 'veth0', v4: '198.18.0.1', v6: '2001:db8::1' };
  const server = { name: `${id}s`, interface: 'veth0', v4: '198.18.0.2', v6: '2001:db8::2' };
  const remove = async (): Promise<void> => {
    // Removing a namespace removes its end of the veth, and so the other.
    for (const { name } of [client, server]) await run('ip', 'netns', 'delete', name).catch(() => undefined);
  };
  try {
    for (const { name } of [client, server]) await run('ip', 'netns', 'add', name);
    await run(
      'ip',
      '-n',
      client.name,
      'link',
      'add',
      'veth0',
      'type',
      'veth',
      'peer',
      'name',
      'veth0',
      'netns',
      server.name,
    );
    for (const end of [client, server]) await configure(end);
  } catch (error) {
    await remove();
    throw error;
  }
  const addSilentNeighbour = async (v4: string): Promise<void> => {
    const hardware = ['lladdr', '02:00:00:00:00:99', 'dev', client.interface];
    await run('ip', '-n', client.name, 'neighbour', 'replace', v4, ...hardware);
  };
  return { client, server, addSilentNeighbour, remove };
}

async function configure({ name, v4, v6 }: Namespace): Promise<void> {
  const inside = (...args: string[]): Promise<string> => run('ip', 'netns', 'exec', name, ...args);
  await inside(
    'sysctl',
    '-q',
    'net.ipv4.ping_group_range=0 2147483647',
    'net.ipv6.conf.all.accept_dad=0',
    'net.ipv6.conf.default.accept_dad=0',
  );
  await inside(
    'ethtool',
    '-K',
    'veth0',
    ...['tx', 'rx', 'tso', 'gso', 'gro', 'sg'].flatMap((offload) => [offload, 'off']),
  );
  await run('ip', '-n', name, 'address', 'add', `${v4}/24`, 'dev', 'veth0');
  await run('ip', '-n', name, 'address', 'add', `${v6}/64`, 'dev', 'veth0', 'nodad');
  await run('ip', '-n', name, 'link', 'set', 'lo', 'up');
  await run('ip', '-n', name, 'link', 'set', 'veth0', 'up');
}

/** What a generator needs to have its two sides in the two namespaces. */
export function across({ client, server }: NamespacePair, family: 'v4' | 'v6' = 'v4'): Record<string, string> {
  return {
    'client-netns': client.name,
    'server-netns': server.name,
    'client-address': client[family],
    'server-address': server[family],
    family,
  };
}
