/** IPFIX (RFC 7011). */
import { PEN, type Element } from './element.js';
import type { Format, MessageFacts, OptionsTemplate } from './format.js';
import { VARIABLE, type Field } from './template.js';
import type { Output } from './wire.js';

const ENTERPRISE_BIT = 0x8000;

export const ipfix: Format = {
  name: 'IPFIX',
  headerLength: 16,
  templateSet: 2,
  optionsTemplateSet: 3,
  writeHeader(view: DataView, { length, exportMs, sequence, domain }: MessageFacts): void {
    view.setUint16(0, 10);
    view.setUint16(2, length);
    view.setUint32(4, Math.floor(exportMs / 1000));
    view.setUint32(8, sequence);
    view.setUint32(12, domain);
  },
  templateLength: (fields) => 4 + specifiersLength(fields),
  writeTemplate(out, id, fields) {
    out.u16(id);
    out.u16(fields.length);
    for (const field of fields) writeSpecifier(out, field);
  },
  optionsTemplateLength: ({ scope, fields }) => 6 + specifiersLength([...scope, ...fields]),
  writeOptionsTemplate(out: Output, { id, scope, fields }: OptionsTemplate) {
    out.u16(id);
    out.u16(scope.length + fields.length);
    out.u16(scope.length);
    for (const field of [...scope, ...fields]) writeSpecifier(out, field);
  },
  // It may be padded, and some collectors take the zeros for a record.
  padding: () => 0,
  // Data records of flows and of options (RFC 7011 3.1).
  nextSequence: (sequence, dataRecords) => (sequence + dataRecords) >>> 0,
  has: () => true,
  lengthOf: ({ dataType, length }: Element) => (dataType === 'string' ? VARIABLE : length),
};

function specifiersLength(fields: readonly Field[]): number {
  return fields.reduce((sum, { element }) => sum + (element.pen === PEN.iana ? 4 : 8), 0);
}

function writeSpecifier(out: Output, { element, length }: Field): void {
  const { pen, id } = element;
  out.u16(pen === PEN.iana ? id : id | ENTERPRISE_BIT);
  out.u16(length);
  if (pen !== PEN.iana) out.u32(pen);
}
