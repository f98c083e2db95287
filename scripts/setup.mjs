/** `npm run build`, and the first half of `npm start` and `npm test`: makes whatever is missing or out of date. */
import { setUpOrExit } from './setup/index.mjs';

await setUpOrExit({ tests: process.argv.includes('--test'), bench: process.argv.includes('--bench') });
