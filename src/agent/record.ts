import { Capture, hostFacts, RecordingWriter } from '../capture/index.js';
import type { Config } from '../config/index.js';
import { createLog } from '../log.js';
import { dropPrivileges } from './privileges.js';
import { AGENT_VERSION } from './version.js';

const PROGRESS_MS = 10_000;

/**
 * Writes what capture gives to a file until `signal` is aborted.
 * @throws ProcflowError CAPTURE_UNAVAILABLE, or RECORDING_INVALID when the file cannot be written
 */
export async function record(config: Config, file: string, signal: AbortSignal): Promise<void> {
  const log = createLog(config.log);
  const batches: ArrayBuffer[] = [];
  let writer: RecordingWriter | undefined;
  let failed: ((reason: Error) => void) | undefined;
  const capture = Capture.start({
    config: config.capture,
    budgetPercent: config.governor.budgetPercent,
    ownPorts: [],
    onBatch: (batch) => {
      if (writer === undefined) batches.push(batch);
      else writer.append(batch, Date.now() * 1000);
    },
    onFailure: (reason) => failed?.(new Error(reason)),
  });
  const { source } = capture.status();
  const host = { ...hostFacts(), agentVersion: AGENT_VERSION, source, startMicros: Date.now() * 1000 };
  try {
    writer = await RecordingWriter.create(file, host);
    dropPrivileges(capture, log);
    for (const batch of batches.splice(0)) writer.append(batch, Date.now() * 1000);
    log.info({ source }, `recording to ${file}; stop with Ctrl-C`);
    await untilStopped(writer);
  } finally {
    await capture.stop();
    await writer?.close();
  }
  log.info({ batches: writer.count, dropped: writer.dropped }, `recorded ${file}`);

  async function untilStopped(current: RecordingWriter): Promise<void> {
    let progress: NodeJS.Timeout | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        failed = reject;
        if (signal.aborted) {
          resolve();
          return;
        }
        signal.addEventListener('abort', () => resolve(), { once: true });
        progress = setInterval(() => {
          if (current.error !== null) reject(current.error);
          log.info({ batches: current.count, dropped: current.dropped }, 'recording');
        }, PROGRESS_MS);
      });
    } finally {
      clearInterval(progress);
    }
  }
}
