/** Options records: what the exporter tells of itself and of its elements (RFC 7011 4, RFC 5610). */
import { DATA_TYPE, SEMANTICS, UNITS, type DataType, type Element } from './element.js';
import { OPTION_ELEMENTS as E } from './elements.js';
import type { OptionsTemplate } from './format.js';
import { VARIABLE, type Field, type Template } from './template.js';
import { utf8, type Output } from './wire.js';

export type OptionValue = number | bigint | string;

/** `ID` of the one metering and the one exporting process of an agent. */
const PROCESS_ID = 1;

function field(element: Element): Field {
  return { element, length: element.dataType === 'string' ? VARIABLE : element.length };
}

/** Readers want all of them, in this order, also where a value says nothing. */
export const TYPE_INFORMATION: OptionsTemplate = {
  id: 256,
  scope: [E.privateEnterpriseNumber, E.informationElementId].map(field),
  fields: [
    E.informationElementDataType,
    E.informationElementSemantics,
    E.informationElementUnits,
    E.informationElementRangeBegin,
    E.informationElementRangeEnd,
    E.informationElementName,
    E.informationElementDescription,
  ].map(field),
};

export const METERING_STATISTICS: OptionsTemplate = {
  id: 257,
  scope: [E.observationDomainId, E.meteringProcessId].map(field),
  fields: [E.exportedMessageTotalCount, E.exportedFlowRecordTotalCount, E.exportedOctetTotalCount].map(field),
};

export const EXPORT_RELIABILITY: OptionsTemplate = {
  id: 258,
  scope: [E.exportingProcessId].map(field),
  fields: [
    E.notSentFlowTotalCount,
    E.notSentPacketTotalCount,
    E.notSentOctetTotalCount,
    // When the first and the last of them was dropped.
    E.observationTimeMilliseconds,
    E.observationTimeMilliseconds,
  ].map(field),
};

export const FLOW_KEYS: OptionsTemplate = {
  id: 259,
  scope: [E.templateId].map(field),
  fields: [E.flowKeyIndicator].map(field),
};

/** How flows are metered: when they are reported, and that no packet is left out. */
export const SETTINGS: OptionsTemplate = {
  id: 260,
  scope: [E.observationDomainId, E.meteringProcessId].map(field),
  fields: [
    E.flowActiveTimeout,
    E.flowIdleTimeout,
    E.selectorAlgorithm,
    E.samplingPacketInterval,
    E.samplingPacketSpace,
  ].map(field),
};

/** The options of NetFlow v9 are about the exporter as a whole. */
const V9_SCOPE: readonly Field[] = [{ element: E.meteringProcessId, length: 4 }];

export const V9_STATISTICS: OptionsTemplate = {
  id: 257,
  scope: V9_SCOPE,
  fields: [
    E.exportedMessageTotalCount,
    E.exportedFlowRecordTotalCount,
    E.exportedOctetTotalCount,
    E.notSentFlowTotalCount,
    E.notSentPacketTotalCount,
    E.notSentOctetTotalCount,
  ].map(field),
};

export const V9_SETTINGS: OptionsTemplate = {
  id: 258,
  scope: V9_SCOPE,
  fields: [E.flowActiveTimeout, E.flowIdleTimeout, E.samplingInterval, E.samplingAlgorithm].map(field),
};

/** Templates of flow records have ids from here on. */
export const FIRST_FLOW_TEMPLATE = 261;

/** What was exported to a collector, and what was not. */
export interface Totals {
  readonly messages: number;
  readonly flowRecords: number;
  readonly octets: number;
}
export interface NotSent {
  readonly flows: number;
  readonly packets: number;
  readonly octets: number;
  readonly firstMs: number;
  readonly lastMs: number;
}
export interface TimeoutSeconds {
  readonly active: number;
  readonly idle: number;
}

export function meteringValues(domain: number, { messages, flowRecords, octets }: Totals): OptionValue[] {
  return [domain, PROCESS_ID, messages, flowRecords, octets];
}

export function reliabilityValues({ flows, packets, octets, firstMs, lastMs }: NotSent): OptionValue[] {
  return [PROCESS_ID, flows, packets, octets, firstMs, lastMs];
}

/** Count-based and systematic: of a period of packets, so many are taken, and none is left out. */
const SYSTEMATIC = 1;
const PACKETS_TAKEN = 1;
const PACKETS_LEFT_OUT = 0;

export function settingsValues(domain: number, timeouts: TimeoutSeconds): OptionValue[] {
  return [domain, PROCESS_ID, ...timeoutValues(timeouts), SYSTEMATIC, PACKETS_TAKEN, PACKETS_LEFT_OUT];
}

export function v9SettingsValues(domain: number, timeouts: TimeoutSeconds): OptionValue[] {
  return [domain, ...timeoutValues(timeouts), PACKETS_TAKEN, SYSTEMATIC];
}

function timeoutValues({ active, idle }: TimeoutSeconds): OptionValue[] {
  return [Math.min(active, 65535), Math.min(idle, 65535)];
}

export function v9Values(domain: number, totals: Totals, notSent: NotSent): OptionValue[] {
  const { messages, flowRecords, octets } = totals;
  return [domain, messages, flowRecords, octets, notSent.flows, notSent.packets, notSent.octets];
}

/** Null for a template without keys, which has nothing to tell. */
export function flowKeyValues(template: Template): OptionValue[] | null {
  const bits = template.keyBits;
  return bits === 0n ? null : [template.id, bits];
}

/** Whole range of the types that have one (RFC 5610 3.6): a reader would refuse values outside. */
const RANGE_END: Partial<Record<DataType, bigint>> = {
  unsigned8: 0xffn,
  unsigned16: 0xffffn,
  unsigned32: 0xffff_ffffn,
  unsigned64: 0xffff_ffff_ffff_ffffn,
};

export function typeValues(element: Element): OptionValue[] {
  const { pen, id, dataType, semantics, units, name, description } = element;
  const rangeEnd = RANGE_END[dataType] ?? 0n;
  return [pen, id, DATA_TYPE[dataType], SEMANTICS[semantics], UNITS[units], 0, rangeEnd, name, description];
}

/** Octets of a record. */
export function optionsLength({ scope, fields }: OptionsTemplate, values: readonly OptionValue[]): number {
  return [...scope, ...fields].reduce(
    (sum, { length }, i) => sum + (length === VARIABLE ? textLength(values[i]) : length),
    0,
  );
}

function textLength(value: OptionValue | undefined): number {
  const length = utf8(String(value)).length;
  return length < 255 ? length + 1 : length + 3;
}

export function writeOptions(out: Output, { scope, fields }: OptionsTemplate, values: readonly OptionValue[]): void {
  for (const [i, { length }] of [...scope, ...fields].entries()) {
    const value = values[i] ?? 0;
    if (length === VARIABLE) out.variable(utf8(String(value)));
    else if (length === 8) out.u64(typeof value === 'string' ? 0 : value);
    else if (length === 4) out.u32(Number(value));
    else if (length === 2) out.u16(Number(value));
    else out.u8(Number(value));
  }
}

/** The options templates of each observation domain; the type information first, since it is used before any template. */
export const FLOW_DOMAIN_OPTIONS: readonly OptionsTemplate[] = [TYPE_INFORMATION, FLOW_KEYS, SETTINGS];
export const PROCESS_DOMAIN_OPTIONS: readonly OptionsTemplate[] = [
  TYPE_INFORMATION,
  METERING_STATISTICS,
  EXPORT_RELIABILITY,
  SETTINGS,
];
export const V9_OPTIONS: readonly OptionsTemplate[] = [V9_STATISTICS, V9_SETTINGS];
