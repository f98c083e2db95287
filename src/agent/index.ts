/** The agent: capture, correlator and API put together. */
export { record } from './record.js';
export { runAgent, type AgentOptions } from './run.js';
