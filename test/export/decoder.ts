/**
 * A strict decoder of IPFIX and NetFlow v9 for the tests. It shares nothing with the encoder but the registry of types, and
 * refuses whatever RFC 7011 or RFC 3954 forbids.
 */
import assert from 'node:assert/strict';
import { ELEMENTS, OPTION_ELEMENTS } from '../../src/export/elements.js';
import { NTOP_V9_BASE, PEN, type DataType } from '../../src/export/element.js';

export interface DecodedField {
  readonly pen: number;
  readonly id: number;
  readonly length: number;
}

export interface DecodedTemplate {
  readonly id: number;
  readonly scopeCount: number;
  readonly isOptions: boolean;
  readonly fields: readonly DecodedField[];
}

export interface DecodedRecord {
  readonly template: DecodedTemplate;
  /** By name; of a name that stands twice, the latter has `#2`. */
  readonly values: Readonly<Record<string, number | string>>;
}

export interface DecodedMessage {
  readonly version: number;
  readonly exportSeconds: number;
  /** NetFlow v9 only. */
  readonly uptimeMs: number;
  readonly sequence: number;
  readonly domain: number;
  readonly length: number;
  /** What is in it, in its order. */
  readonly templates: readonly DecodedTemplate[];
  readonly records: readonly DecodedRecord[];
}

interface Type {
  readonly name: string;
  readonly dataType: DataType;
  readonly isUptime: boolean;
}

const registry = new Map<string, Type>();
for (const { pen, id, name, ipfixName, dataType, isUptime } of [...ELEMENTS, ...Object.values(OPTION_ELEMENTS)]) {
  registry.set(`${pen}/${id}`, { name: pen === PEN.iana ? ipfixName : name, dataType, isUptime });
}

function typeOf({ pen, id }: DecodedField): Type {
  const ntop = pen === PEN.iana && id >= NTOP_V9_BASE;
  const key = ntop ? `${PEN.ntop}/${id - NTOP_V9_BASE}` : pen === PEN.reverse ? `${PEN.iana}/${id}` : `${pen}/${id}`;
  const type = registry.get(key);
  assert.ok(type !== undefined, `element ${pen}/${id} is known`);
  if (pen !== PEN.reverse) return type;
  return { ...type, name: `reverse${type.name.charAt(0).toUpperCase()}${type.name.slice(1)}` };
}

/** Decodes the messages of one session, in their order. */
export class Decoder {
  /** By observation domain. */
  private readonly domains = new Map<number, { templates: Map<number, DecodedTemplate>; expected: number | null }>();
  private templates = new Map<number, DecodedTemplate>();
  private lastExport = 0;
  /** Messages whose sequence number was not the one that follows: something was lost between. */
  gaps = 0;

  decode(bytes: Uint8Array): DecodedMessage {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const version = view.getUint16(0);
    assert.ok(version === 9 || version === 10, `version ${version}`);
    const isIpfix = version === 10;
    const header = isIpfix ? 16 : 20;
    const count = view.getUint16(2);
    if (isIpfix) assert.equal(count, bytes.length, 'the length is that of the message');
    const exportSeconds = view.getUint32(isIpfix ? 4 : 8);
    const sequence = view.getUint32(isIpfix ? 8 : 12);
    const domain = view.getUint32(isIpfix ? 12 : 16);
    assert.ok(exportSeconds >= this.lastExport, 'the export time never goes back');
    this.lastExport = exportSeconds;

    const state = this.domains.get(domain) ?? { templates: new Map<number, DecodedTemplate>(), expected: null };
    this.domains.set(domain, state);
    this.templates = state.templates;
    const templates: DecodedTemplate[] = [];
    const records: DecodedRecord[] = [];
    let at = header;
    assert.ok(at < bytes.length, 'a message has a set');
    while (at < bytes.length) {
      const setId = view.getUint16(at);
      const length = view.getUint16(at + 2);
      assert.ok(length > 4 && at + length <= bytes.length, `set of ${length} at ${at} of ${bytes.length}`);
      if (!isIpfix) assert.equal(length % 4 === 0 || this.shortest(setId) < 4, true, 'a set ends on a multiple of 4');
      const set = new Reader(bytes.subarray(at + 4, at + length));
      if (setId === (isIpfix ? 2 : 0)) templates.push(...this.readTemplates(set, isIpfix, false));
      else if (setId === (isIpfix ? 3 : 1)) templates.push(...this.readTemplates(set, isIpfix, true));
      else records.push(...this.readRecords(set, setId));
      at += length;
    }
    if (!isIpfix) assert.equal(count, templates.length + records.length, 'the count is of all records');
    if (state.expected !== null && state.expected !== sequence) this.gaps++;
    state.expected = (sequence + (isIpfix ? records.length : 1)) >>> 0;
    const uptimeMs = isIpfix ? 0 : view.getUint32(4);
    return { version, exportSeconds, uptimeMs, sequence, domain, length: bytes.length, templates, records };
  }

  private shortest(id: number): number {
    const template = this.templates.get(id);
    return template === undefined ? 4 : shortest(template);
  }

  private readTemplates(set: Reader, isIpfix: boolean, isOptions: boolean): DecodedTemplate[] {
    const found: DecodedTemplate[] = [];
    while (set.left >= 4 && !set.isPadding) {
      const id = set.u16();
      assert.ok(id >= 256, `template id ${id}`);
      const first = set.u16();
      const second = isOptions ? set.u16() : 0;
      // NetFlow v9 counts octets of definitions here, and the scope apart.
      const scopeCount = !isOptions ? 0 : isIpfix ? second : first / 4;
      const fieldCount = !isOptions ? first : isIpfix ? first : (first + second) / 4;
      assert.ok(fieldCount > 0 && scopeCount <= fieldCount && (!isOptions || scopeCount > 0));
      const fields = Array.from({ length: fieldCount }, (_, i) => readField(set, isIpfix, !isIpfix && i < scopeCount));
      const template = { id, scopeCount, isOptions, fields };
      const known = this.templates.get(id);
      if (known !== undefined) assert.deepEqual(template, known, 'an id keeps its meaning');
      this.templates.set(id, template);
      found.push(template);
    }
    assert.ok(found.length > 0, 'a set has a record');
    set.expectPadding();
    return found;
  }

  private readRecords(set: Reader, id: number): DecodedRecord[] {
    const template = this.templates.get(id);
    assert.ok(template !== undefined, `template ${id} came before its data`);
    const records: DecodedRecord[] = [];
    while (set.left >= shortest(template)) records.push({ template, values: readValues(set, template) });
    assert.ok(records.length > 0, 'a set has a record');
    set.expectPadding();
    return records;
  }
}

function shortest({ fields }: DecodedTemplate): number {
  return fields.reduce((sum, { length }) => sum + (length === 65535 ? 1 : length), 0);
}

function readField(set: Reader, isIpfix: boolean, isScope: boolean): DecodedField {
  const type = set.u16();
  const length = set.u16();
  if (isScope) {
    assert.equal(type, 1, 'the scope is the system');
    return { pen: PEN.iana, id: 143, length };
  }
  if (!isIpfix) assert.ok(length > 0 && length < 65535, 'NetFlow v9 has fixed lengths');
  const hasEnterprise = isIpfix && type >= 0x8000;
  const field = { pen: hasEnterprise ? set.u32() : 0, id: hasEnterprise ? type - 0x8000 : type, length };
  if (hasEnterprise) assert.notEqual(field.pen, 0);
  const { dataType } = typeOf(field);
  if (length === 65535) assert.equal(dataType, 'string', 'only texts are of variable length');
  return field;
}

function readValues(set: Reader, { fields }: DecodedTemplate): Record<string, number | string> {
  const values: Record<string, number | string> = {};
  for (const field of fields) {
    const type = typeOf(field);
    const bytes = set.take(field.length === 65535 ? set.variableLength() : field.length);
    let { name } = type;
    for (let n = 2; name in values; n++) name = `${type.name}#${n}`;
    values[name] = valueOf(type, bytes, field.length !== 65535);
  }
  return values;
}

function valueOf({ dataType }: Type, bytes: Uint8Array, isFixed: boolean): number | string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  switch (dataType) {
    case 'string':
      return textOf(bytes, isFixed);
    case 'ipv4Address':
      assert.equal(bytes.length, 4);
      return bytes.join('.');
    case 'ipv6Address':
      assert.equal(bytes.length, 16);
      return Array.from({ length: 8 }, (_, i) => view.getUint16(2 * i).toString(16)).join(':');
    case 'dateTimeMicroseconds':
    case 'dateTimeNanoseconds': {
      // NTP: 1900, and a fraction of 2^32; in µs of Unix time.
      const fraction = view.getUint32(4);
      if (dataType === 'dateTimeMicroseconds') assert.equal(fraction % 2048, 0, 'the lowest 11 bits are 0');
      return (view.getUint32(0) - 2_208_988_800) * 1e6 + Math.floor((fraction * 1e6) / 2 ** 32);
    }
    default:
      return bytes.reduce((sum, byte) => sum * 256 + byte, 0);
  }
}

function textOf(bytes: Uint8Array, isFixed: boolean): string {
  const end = bytes.indexOf(0);
  if (!isFixed) assert.equal(end, -1, 'no NUL in a text');
  else {
    assert.ok(end >= 0, 'a text of fixed length ends with NUL');
    assert.ok(
      bytes.subarray(end).every((byte) => byte === 0),
      'nothing behind it',
    );
  }
  return new TextDecoder('utf-8', { fatal: true }).decode(isFixed ? bytes.subarray(0, end) : bytes);
}

class Reader {
  private at = 0;
  constructor(private readonly bytes: Uint8Array) {}

  get left(): number {
    return this.bytes.length - this.at;
  }

  get isPadding(): boolean {
    return this.left < 4 && this.bytes.subarray(this.at).every((byte) => byte === 0);
  }

  expectPadding(): void {
    assert.ok(this.left < 4 && this.bytes.subarray(this.at).every((byte) => byte === 0), 'only zeros are left');
  }

  take(length: number): Uint8Array {
    assert.ok(length <= this.left, 'a record ends within its set');
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  u16(): number {
    const [high = 0, low = 0] = this.take(2);
    return high * 256 + low;
  }

  u32(): number {
    return this.u16() * 65_536 + this.u16();
  }

  variableLength(): number {
    const [short = 0] = this.take(1);
    return short < 255 ? short : this.u16();
  }
}
