/** `npm run bench`: sets up, then runs the benchmarks in this same process. */
import { setUpOrExit } from './setup/index.mjs';

await setUpOrExit({ tests: true, bench: true });
await import('../dist/bench/index.js');
