/** NetFlow v9 (RFC 3954). */
import { PEN, v9Type, type Element } from './element.js';
import type { Format, MessageFacts, OptionsTemplate } from './format.js';
import type { Field } from './template.js';
import type { Output } from './wire.js';

/** The scope of all options here: the exporter as a whole. */
const SCOPE_SYSTEM = 1;

export const netflow9: Format = {
  name: 'NETFLOW_V9',
  headerLength: 20,
  templateSet: 0,
  optionsTemplateSet: 1,
  writeHeader(view: DataView, { records, exportMs, zeroMs, sequence, domain }: MessageFacts): void {
    view.setUint16(0, 9);
    view.setUint16(2, records);
    view.setUint32(4, exportMs - zeroMs);
    view.setUint32(8, Math.floor(exportMs / 1000));
    view.setUint32(12, sequence);
    view.setUint32(16, domain);
  },
  templateLength: (fields) => 4 + 4 * fields.length,
  writeTemplate(out, id, fields) {
    out.u16(id);
    out.u16(fields.length);
    writeFields(out, fields);
  },
  optionsTemplateLength: ({ scope, fields }) => 6 + 4 * (scope.length + fields.length),
  writeOptionsTemplate(out: Output, { id, scope, fields }: OptionsTemplate) {
    out.u16(id);
    // In octets of their definitions, unlike IPFIX.
    out.u16(4 * scope.length);
    out.u16(4 * fields.length);
    for (const { length } of scope) {
      out.u16(SCOPE_SYSTEM);
      out.u16(length);
    }
    writeFields(out, fields);
  },
  // Sets end on a multiple of four, unless the zeros could be taken for a record.
  padding(setLength, shortest) {
    const padding = (4 - (setLength % 4)) % 4;
    return padding < shortest ? padding : 0;
  },
  // One per packet (RFC 3954 5.1).
  nextSequence: (sequence) => (sequence + 1) >>> 0,
  has: ({ pen }: Element) => pen !== PEN.reverse,
  // A text of fixed length, and flags as their low octet.
  lengthOf: ({ id, pen, length }: Element) => (pen === PEN.iana && id === TCP_FLAGS ? 1 : length),
};

const TCP_FLAGS = 6;

function writeFields(out: Output, fields: readonly Field[]): void {
  for (const { element, length } of fields) {
    out.u16(v9Type(element));
    out.u16(length);
  }
}
