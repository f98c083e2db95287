/** What the system tests share: the real agent, generators of known traffic, network namespaces, packet captures. */
export { Agent, agentFlags, type AgentOptions, type Answer, type HostView } from './agent.js';
export { Child, run } from './children.js';
export { compile } from './compile.js';
export { DEADLINE_MS, eventually } from './eventually.js';
export {
  assertShown,
  conversations,
  flowsOf,
  sentBy,
  sharesOf,
  type Conversation,
  type FlowView,
  type Wanted,
} from './flow-view.js';
export { freePorts } from './free-ports.js';
export {
  bpfObstacle,
  buildGenerators,
  Generator,
  generatorsDirectory,
  skipWithoutBpf,
  Unsupported,
  withTraffic,
  type Options,
  type Report,
  type SocketReport,
} from './generator.js';
export { across, makeNamespacePair, type Namespace, type NamespacePair } from './namespaces.js';
export { copyBuild } from './readable-build.js';
export { PacketCapture, readPackets, sum, sumBetween, type WireCount, type WirePacket } from './packet-capture.js';
export { MeasuredServer, type Cost } from './measured-server.js';
export { RawClient } from './raw-client.js';
export { pcapOf, type Datagram } from './pcap.js';
export { Tap, type Row } from './tap.js';
export { cpuError, spend, UsageRows, type Edges, type Reading, type Spent } from './usage-rows.js';
