import { reportAndExit } from './commands/failure.js';
import { createProgram } from './program.js';

process.on('uncaughtException', reportAndExit);
// `procflow config --print | head`: whoever reads has seen enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  reportAndExit(error);
});

try {
  await createProgram().parseAsync(process.argv.slice(2), { from: 'user' });
} catch (error) {
  reportAndExit(error);
}
