/**
 * What the agent costs those who are captured, as it is configured by default and when its governor has settled:
 * throughput and CPU per operation of several kinds of traffic, beside other tools that watch the same interface.
 */
import { settledAgentTool } from './lib/agent.js';
import { compareTools } from './lib/compare-tools.js';
import { nothing, softflowd, tcpdump } from './lib/peers.js';

const AGENT = settledAgentTool('procflow');

export async function run(): Promise<void> {
  await compareTools({
    tools: [nothing, AGENT, softflowd, tcpdump],
    judged: AGENT,
    aims: {
      'bulk TCP, 128 KiB': 0.99,
      'request/response, 64 B': 0.97,
      'nginx keep-alive': 0.98,
      connections: 0.95,
      'UDP 64 B, connected': 0.97,
      'UDP 64 B, unconnected': 0.97,
    },
    pairLimitMs: 120_000,
    limitMs: 15 * 60_000,
  });
}
