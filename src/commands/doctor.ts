import { doctor, type DoctorReport } from '../capture/index.js';
import { loadConfig, type ConfigSources } from '../config/index.js';
import { printable } from '../text.js';

/** `procflow doctor`: what can be captured here, and what to do about the rest. */
export async function doctorCommand(sources: ConfigSources, flags: { readonly json?: true }): Promise<void> {
  const report = await doctor(loadConfig(sources));
  process.stdout.write(flags.json === true ? `${JSON.stringify(report, undefined, 2)}\n` : doctorText(report));
}

/** The report for people: one line for each check, the cure under what is missing. */
export function doctorText(report: DoctorReport): string {
  const width = Math.max(0, ...report.checks.map(({ name }) => name.length));
  const lines = report.checks.flatMap(({ name, status, detail, cure }) => [
    `${status.padEnd(7)}  ${name.padEnd(width)}  ${printable(detail)}`,
    ...(cure === undefined ? [] : [`${' '.repeat(9 + width)}  → ${printable(cure)}`]),
  ]);
  return `${lines.join('\n')}\n\nsource: ${report.source}\n`;
}
