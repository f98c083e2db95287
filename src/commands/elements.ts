import { DATA_TYPE, PEN, v9Type, type Element } from '../export/element.js';
import { ELEMENTS } from '../export/elements.js';
import { DEFAULT_TEMPLATE, MACROS } from '../export/macros.js';

/** `procflow elements`: what a template may name. */
export function elementsCommand(flags: { readonly json?: true; readonly markdown?: true }): void {
  const text = flags.json === true ? elementsJson() : flags.markdown === true ? elementsMarkdown() : elementsText();
  process.stdout.write(text);
}

function elementsJson(): string {
  const elements = ELEMENTS.map((element) => ({
    name: element.name,
    ipfixName: element.ipfixName,
    enterprise: element.pen,
    id: element.id,
    netflow9Type: v9Type(element),
    type: element.dataType,
    typeNumber: DATA_TYPE[element.dataType],
    length: element.length,
    semantics: element.semantics,
    units: element.units,
    isMeasured: element.place !== null,
    source: element.source === '' ? null : element.source,
    description: element.description,
  }));
  return `${JSON.stringify({ elements, macros: MACROS, defaultTemplate: DEFAULT_TEMPLATE }, undefined, 2)}\n`;
}

function elementsText(): string {
  const rows = ELEMENTS.map((element) => [
    `%${element.name}`,
    element.ipfixName === element.name ? '' : `%${element.ipfixName}`,
    idText(element),
    String(v9Type(element)),
    typeText(element),
    described(element),
  ]);
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '));
  const macros = Object.entries(MACROS).map(([name, text]) => `@${name}@  ${text}`);
  return `${[...lines, '', ...macros, '', `default: ${DEFAULT_TEMPLATE}`].join('\n')}\n`;
}

/** The table of docs/elements.md. */
export function elementsMarkdown(): string {
  const rows = ELEMENTS.map((element) => [
    `\`${element.name}\``,
    element.ipfixName === element.name ? '' : `\`${element.ipfixName}\``,
    idText(element),
    String(v9Type(element)),
    typeText(element),
    element.source === '' ? '' : `\`${element.source}\``,
    described(element),
  ]);
  const head = ['name', 'IPFIX name', 'IPFIX id', 'v9 type', 'type', 'from', 'what it tells'];
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return `${[line(head), rule, ...rows.map(line)].join('\n')}\n`;
}

function idText({ pen, id }: Element): string {
  return pen === PEN.iana ? String(id) : `${pen}/${id}`;
}

function typeText({ dataType, length, units }: Element): string {
  const size = dataType === 'string' ? `string (v9: ${length})` : dataType;
  return units === 'none' ? size : `${size}, ${units}`;
}

function described({ place, description }: Element): string {
  return place === null ? `${description} Not measured: left out.` : description;
}
