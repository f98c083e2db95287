/** Records of any kind come out of the decoder as they went in, whatever the template. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PEN } from '../../src/export/element.js';
import { ELEMENTS } from '../../src/export/elements.js';
import { FlowRecord, NUMBER, TEXT } from '../../src/export/record.js';
import type { Element } from '../../src/export/element.js';
import { MemoryTransport } from './memory-transport.js';
import { Stage, T0_MS } from './stage.js';

/** Repeatable randomness (mulberry32). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const CHARACTERS = ['a', 'Z', '9', ' ', 'ä', '日', '😀', '\u0001', '"', '\ud800', '\0'];
const MOST: Readonly<Record<string, number>> = {
  unsigned8: 255,
  unsigned16: 65_535,
  unsigned32: 2 ** 32 - 1,
  unsigned64: 2 ** 53 - 1,
};
const MEASURED = ELEMENTS.filter(({ place }) => place !== null);

function randomRecord(next: () => number): FlowRecord {
  const record = new FlowRecord();
  const isV6 = next() < 0.4;
  for (const { place, dataType } of MEASURED) {
    if (place === null || next() < 0.2) continue;
    if (place.kind === 'number') {
      // Places that several elements share get what fits into the smallest of them.
      record.numbers[place.index] = Math.floor(
        next() * Math.min(MOST[dataType] ?? 0, smallestAt(place.index)) * next(),
      );
    } else if (dataType === 'string') {
      const length = Math.floor(next() ** 4 * 300);
      record.texts[place.index] = Array.from({ length }, () => CHARACTERS[Math.floor(next() * CHARACTERS.length)]).join(
        '',
      );
    }
  }
  record.numbers[NUMBER.start] = (T0_MS - 1 - Math.floor(next() * 1e6)) * 1000;
  record.numbers[NUMBER.end] = T0_MS * 1000;
  record.numbers[NUMBER.boot] = T0_MS * 1000;
  const octet = (): number => Math.floor(next() * 256);
  const group = (): string => Math.floor(next() * 65_536).toString(16);
  for (const at of isV6 ? [TEXT.sourceIpv6, TEXT.destinationIpv6] : [TEXT.sourceIpv4, TEXT.destinationIpv4]) {
    record.texts[at] = isV6
      ? Array.from({ length: 8 }, group).join(':')
      : [octet(), octet(), octet(), octet()].join('.');
  }
  return record;
}

function smallestAt(index: number): number {
  const sharing = MEASURED.filter(({ place }) => place?.kind === 'number' && place.index === index);
  return Math.min(...sharing.map(({ dataType }) => MOST[dataType] ?? Infinity));
}

/** What a reader gets for an element; undefined when the element is left out. */
function expected({ place, dataType }: Element, record: FlowRecord): number | string | undefined {
  if (place === null) return undefined;
  if (place.kind === 'text') {
    const text = record.texts[place.index] ?? undefined;
    return dataType === 'string'
      ? text === undefined
        ? text
        : Buffer.from(text.replaceAll('\0', '\ufffd')).toString()
      : text;
  }
  const value = record.numbers[place.index] ?? NaN;
  if (Number.isNaN(value)) return undefined;
  if (dataType === 'dateTimeSeconds') return Math.floor(value / 1e6);
  return dataType === 'dateTimeMilliseconds' ? Math.floor(value / 1e3) : value;
}

test('random records of random templates, over IPFIX', () => {
  const next = random(20_261_127);
  for (let round = 0; round < 60; round++) {
    const chosen = MEASURED.filter(({ isUptime }) => !isUptime && next() < 0.4);
    const template = chosen.map(({ ipfixName }) => `%${ipfixName}`).join(' ');
    if (template === '') continue;
    const stage = new Stage({ template, transport: new MemoryTransport(next() < 0.5, 4000) });
    stage.session.up();
    const records = Array.from({ length: 30 }, () => randomRecord(next));
    const wanted = records.map((record) => {
      const names = stageElements(stage).map((element) => [nameOf(element), expected(element, record)] as const);
      return Object.fromEntries(names.filter(([, value]) => value !== undefined));
    });
    for (const record of records) stage.session.take(record);
    const got = stage.flowRecords().map(({ values }) => values);
    assert.deepEqual(
      got,
      wanted.filter((values) => Object.keys(values).length > 0),
      template,
    );
    assert.equal(stage.decoder.gaps, 0);
  }
});

function stageElements(stage: Stage): readonly Element[] {
  return stage.fields.map(({ element }) => element);
}

function nameOf({ pen, name, ipfixName }: Element): string {
  return pen === PEN.ntop ? name : ipfixName;
}
