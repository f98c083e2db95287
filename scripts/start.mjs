/**
 * `npm start`: sets up, then runs the program in this same process. With no second process between npm and the agent,
 * signals reach it at every moment and nothing can be left behind.
 */
import { setUpOrExit } from './setup/index.mjs';

await setUpOrExit({});
await import('../dist/src/main.js');
