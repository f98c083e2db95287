import assert from 'node:assert/strict';
import { test } from 'node:test';
import { v9Type } from '../../src/export/element.js';
import { elementNamed, ELEMENTS } from '../../src/export/elements.js';
import { ipfix } from '../../src/export/ipfix.js';
import { DEFAULT_TEMPLATE } from '../../src/export/macros.js';
import { netflow9 } from '../../src/export/netflow9.js';
import { NUMBER, TEXT } from '../../src/export/record.js';
import { fieldsOf, parseSpecification } from '../../src/export/specification.js';

function names(text: string, format = ipfix): string[] {
  return fieldsOf(parseSpecification(text), format).map(({ element }) => element.name);
}

test('names of both spellings, in any letter case, and nothing twice', () => {
  assert.deepEqual(names('%IN_BYTES %packetDeltaCount %in_pkts %octetdeltacount'), ['IN_BYTES', 'IN_PKTS']);
});

test('one specification serves both versions of IP', () => {
  assert.deepEqual(names('%IPV4_SRC_ADDR %IN_BYTES'), ['IPV4_SRC_ADDR', 'IPV6_SRC_ADDR', 'IN_BYTES']);
});

test('times are absolute in IPFIX, and since boot in NetFlow v9', () => {
  assert.deepEqual(names('%FIRST_SWITCHED'), ['FLOW_START_MILLISECONDS']);
  assert.deepEqual(names('%FIRST_SWITCHED', netflow9), ['FIRST_SWITCHED']);
});

test('NetFlow v9 tells the IP version with addresses', () => {
  assert.ok(names('%IPV6_SRC_ADDR', netflow9).includes('IP_PROTOCOL_VERSION'));
});

test('@PROCESS@ is the twenty elements with the ids that collectors know', () => {
  const ids = parseSpecification('@PROCESS@').items.map(({ element }) => [element.name, element.id, v9Type(element)]);
  const both = [
    ['PROC_PID', 168, 375],
    ['PROC_NAME', 169, 376],
    ['PROC_USER_NAME', 372, 377],
    ['FATHER_PROC_PID', 373, 378],
    ['FATHER_PROC_NAME', 374, 379],
    ['PROC_ACTUAL_MEMORY', 383, 387],
    ['PROC_PEAK_MEMORY', 384, 388],
    ['PROC_AVERAGE_CPU_LOAD', 385, 389],
    ['PROC_NUM_PAGE_FAULTS', 386, 390],
    ['PROC_PCTG_IOWAIT', 393, 394],
  ] as const;
  const expected = [
    ...both.map(([name, source]) => [`SRC_${name}`, source, 57_472 + source]),
    ...both.map(([name, , destination]) => [`DST_${name}`, destination, 57_472 + destination]),
  ];
  assert.deepEqual(ids, expected);
});

test('OUT_BYTES makes one record of both directions', () => {
  assert.equal(parseSpecification('%IN_BYTES %OUT_BYTES', true).shape, 'both');
  assert.equal(parseSpecification('@NTOPNG@').shape, 'both');
  assert.equal(parseSpecification(DEFAULT_TEMPLATE, true).shape, 'biflow');
});

test('reverse elements need a key that tells the direction', () => {
  const biflow = (text: string): number =>
    fieldsOf(parseSpecification(text, true), ipfix).filter(({ element }) => element.pen === 29_305).length;
  assert.equal(biflow('%IN_BYTES %PROTOCOL'), 0);
  assert.equal(biflow('%IN_BYTES %L4_SRC_PORT'), 1);
});

test('an unknown name is refused with the nearest one', () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['%SRC_PROC_NAM', /"SRC_PROC_NAM".*did you mean "SRC_PROC_NAME"/],
    ['%octetDeltaCuont', /did you mean "octetDeltaCount"/],
    ['@PROCES@', /did you mean "PROCESS"/],
    ['@__proto__@', /no macro/],
    ['IN_BYTES', /write %NAME/],
    ['%IN_BYTES:4', /is no text/],
    ['%SRC_PROC_NAME:1', /from 2 to 4096/],
    ['  ', /at least one/],
  ];
  for (const [text, message] of cases)
    assert.throws(() => parseSpecification(text), { code: 'CONFIG_INVALID', message });
});

test('each element is there once, its name is known, and its place is its own kind', () => {
  const ids = new Set(ELEMENTS.map(({ pen, id }) => `${pen}/${id}`));
  assert.equal(ids.size, ELEMENTS.length);
  for (const element of ELEMENTS) {
    assert.equal(elementNamed(element.name), element);
    assert.equal(elementNamed(element.ipfixName), element);
    const isText = element.dataType === 'string' || element.dataType.startsWith('ipv');
    if (element.place !== null) assert.equal(element.place.kind, isText ? 'text' : 'number', element.name);
    assert.ok(element.length > 0 && element.description.length > 4);
  }
});

test('no two blocks of places overlap', () => {
  const numbers = Object.values(NUMBER);
  assert.equal(new Set(numbers).size, numbers.length);
  const texts = Object.values(TEXT);
  assert.equal(new Set(texts).size, texts.length);
});
