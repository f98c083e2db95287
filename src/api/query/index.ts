export { Caller } from './caller.js';
export { concurrentProcesses, USAGE_MEASURES, type UsageMeasure } from './concurrent.js';
export { EXCHANGE_FIELDS, EXCHANGE_ORDERS } from './exchange-fields.js';
export {
  CONTAINER_FIELDS,
  FLOW_FIELDS,
  PROCESS_FIELDS,
  USER_FIELDS,
  type FilterField,
  type FieldKind,
} from './fields.js';
export type { Filter, FilterInput } from './filter.js';
export { commandLineOf, flowDurationMs, ownerOf } from './measures.js';
export { CONTAINER_ORDERS, FLOW_ORDERS, PROCESS_ORDERS, USER_ORDERS, type OrderDirection } from './order.js';
export { checkPageSize, type Page } from './page.js';
export {
  Queries,
  unknownId,
  type FlowListArguments,
  type ListArguments,
  type ProcessListArguments,
  type SeriesListArguments,
  type TotalsArguments,
  type WindowedListArguments,
} from './queries.js';
export {
  SERIES_DIMENSIONS,
  SERIES_MEASURES,
  SERIES_VALUES,
  SeriesList,
  TimeSeries,
  type SeriesDimension,
  type SeriesMeasure,
  type SeriesRow,
  type StepArguments,
} from './series.js';
export type { NetworkUsage, Spending } from './spending.js';
export { formatTime, parseTime, resolveTime, type TimeArgument } from './time.js';
export { FLOW_DIMENSIONS, FLOW_MEASURES, type FlowDimension, type FlowMeasure, type FlowTotal } from './totals.js';
