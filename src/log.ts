import { pino, type DestinationStream, type Logger } from 'pino';
import type { Config } from './config/index.js';
import { printable } from './text.js';

export type { Logger } from 'pino';

/** The agent's log. It goes to standard error: standard output belongs to what a command prints. */
export function createLog(options: Config['log'], destination: DestinationStream = standardError): Logger {
  const target = options.format === 'pretty' ? prettyStream(destination) : destination;
  const formatters = { level: (label: string) => ({ level: label }) };
  return pino({ level: options.level, base: null, timestamp: isoTime, formatters }, target);
}

const isoTime = (): string => `,"time":"${new Date().toISOString()}"`;

/** Synchronous, so that the last words of an agent that dies are written. */
const standardError: DestinationStream = pino.destination({ dest: 2, sync: true });

/** Turns pino's JSON lines into `08:43:09.064 INFO  message key=value`. */
function prettyStream(destination: DestinationStream): DestinationStream {
  return {
    write(line: string): void {
      destination.write(prettyLine(JSON.parse(line) as Record<string, unknown>));
    },
  };
}

function prettyLine(entry: Record<string, unknown>): string {
  const { level, time, msg, err, ...fields } = entry;
  const name = String(level).toUpperCase().padEnd(5);
  const clock = typeof time === 'string' ? time.slice(11, 23) : '';
  const rest = Object.entries(fields).map(([key, value]) => ` ${printable(key)}=${shown(value)}`);
  const message = typeof msg === 'string' ? printable(msg) : '';
  return `${clock} ${name} ${message}${rest.join('')}\n${stackOf(err)}`;
}

function shown(value: unknown): string {
  return printable(typeof value === 'string' && /^\S+$/.test(value) ? value : JSON.stringify(value));
}

/** An error's stack keeps its lines; each is made safe by itself. */
function stackOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('stack' in error) || typeof error.stack !== 'string') return '';
  const lines = error.stack.split('\n').map((line) => `    ${printable(line)}\n`);
  return lines.join('');
}
