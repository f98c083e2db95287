/** What ntopng is told of this host and its agent. */
import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import type { Config } from '../../config/index.js';
import type { LiveState } from '../../correlate/index.js';
import type { Logger } from '../../log.js';
import type { Exporter as ExporterFacts } from '../filler.js';
import { listeningPortsDocument } from './documents.js';
import type { Surroundings } from './exporter.js';
import { ephemeralPorts, listeningPorts, ownNamespace } from './listening.js';

export function surroundingsOf(
  config: Config['flows'],
  state: Pick<LiveState, 'listeningSockets' | 'status'>,
  exporter: ExporterFacts,
  log: Logger,
): Surroundings {
  const { hostName, hostId, sourceId, ipv4, ipv6 } = exporter;
  const address = ipv4 ?? ipv6;
  const addresses = [ipv4, ipv6].filter((one) => one !== null);
  const interfaceName = address === null ? null : interfaceWith(address);
  const ephemeral = ephemeralPorts();
  const namespace = ownNamespace();
  return {
    exporter,
    probe: {
      ...{ hostName, hostId, sourceId, address },
      version: state.status().agentVersion,
      interfaceName: interfaceName ?? 'any',
      speedMbits: interfaceName === null ? null : speedOf(interfaceName),
      activeSeconds: Math.ceil(config.activeTimeoutMs / 1000),
      idleSeconds: Math.ceil(config.idleTimeoutMs / 1000),
    },
    listeningPorts: () =>
      listeningPortsDocument(hostName, addresses, listeningPorts(state.listeningSockets(), namespace, ephemeral)),
    log,
    nowMs: () => Date.now(),
  };
}

/** Of the interfaces, which are all captured, the one that the probe's address is of. */
function interfaceWith(address: string): string | null {
  const named = Object.entries(networkInterfaces()).find(([, all]) => all?.some((one) => one.address === address));
  return named?.[0] ?? null;
}

/** Null for interfaces without a speed, virtual ones mostly. */
function speedOf(name: string): number | null {
  try {
    const speed = Number(readFileSync(`/sys/class/net/${name}/speed`, 'utf8'));
    return speed > 0 ? speed : null;
  } catch {
    return null;
  }
}
