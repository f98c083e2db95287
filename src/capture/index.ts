/** Where batches come from: the kernel, /proc, or a recording. */
export { loadAddon, type DatagramSender } from './addon.js';
export { decodeBatch, type Batch } from './batch.js';
export { agentCapabilities, effectiveCapabilities, type AgentCapabilities } from './capabilities.js';
export { Capture, type CaptureOptions, type CaptureStatus } from './capture.js';
export { doctor, type DoctorCheck, type DoctorReport } from './doctor.js';
export { hostFacts, type HostFacts } from './host.js';
export {
  readRecording,
  readRecordingHeader,
  RecordingWriter,
  type RecordedBatch,
  type RecordedHost,
} from './recording.js';
export type { Calibration, DelayAccounting, GovernorStatus, ProgramCost, TierStatus } from './tiers.js';
