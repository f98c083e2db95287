/** How the tiers add up: each with those before it, and none shed. */
import { agentTool } from './lib/agent.js';
import { compareTools } from './lib/compare-tools.js';

const GOVERNOR_OFF = 'governor.budgetPercent=0';
const NO_PACKETS = 'capture.packets.enabled=false';
const NO_RESOURCES = 'capture.resources=false';
const NO_MESSAGES = 'capture.messages=false';

const MESSAGES = agentTool('+ messages', [GOVERNOR_OFF, NO_PACKETS, NO_RESOURCES]);

export async function run(): Promise<void> {
  await compareTools({
    tools: [
      agentTool('lifecycle', [GOVERNOR_OFF, NO_PACKETS, NO_RESOURCES, NO_MESSAGES]),
      MESSAGES,
      agentTool('+ resources', [GOVERNOR_OFF, NO_PACKETS]),
      agentTool('+ packets', [GOVERNOR_OFF]),
    ],
    // Flows with their processes, exactly: the rest is what the governor may shed.
    judged: MESSAGES,
    aims: {
      'bulk TCP, 128 KiB': 0.99,
      'request/response, 64 B': 0.94,
      'nginx keep-alive': 0.98,
      connections: 0.93,
      'UDP 64 B, connected': 0.95,
      'UDP 64 B, unconnected': 0.95,
    },
    pairLimitMs: 30_000,
    limitMs: 8 * 60_000,
  });
}
