import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's folder; we run from dist/bench/lib. */
export const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

export const WORKLOAD_SOURCES = join(ROOT, 'bench/workload');
export const WORKLOAD_PROGRAM = join(ROOT, 'dist/bench/workload');
export const AGENT_PROGRAM = join(ROOT, 'dist/src/main.js');
