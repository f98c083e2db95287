import type { Request, Response } from 'express';
import { ProcflowError } from '../../errors.js';
import { stringify } from '../json.js';
import { toCsv } from './csv.js';
import { flag, text1, texts } from './grammar.js';
import { checkPaths, cutTo, type Cut } from './mask.js';
import type { Parameters } from './parameters.js';
import type { Json } from './shape.js';
import type { AnswerPaths } from './spec.js';

const JSON_TYPE = 'application/json; charset=utf-8';
const CSV_TYPE = 'text/csv; charset=utf-8; header=present';

/** Sends the series of one thing: JSON, or CSV with a line for each step. */
export function sendTimeSeries(
  request: Request,
  response: Response,
  parameters: Parameters,
  series: Json & { readonly timestamps: readonly string[] },
  paths: AnswerPaths,
): void {
  response.setHeader('vary', 'accept');
  if (!wantsCsv(request, parameters)) {
    sendObject(response, series, parameters, paths);
    return;
  }
  const columns = columnsOf(parameters, paths).filter((column) => column.startsWith('values.'));
  response.setHeader('content-type', CSV_TYPE);
  response.end(toCsv(rowsByStep(series.timestamps, [cutOf(parameters, paths)(series)]), ['time', ...columns]));
}

/** Sends one object. */
export function sendObject(response: Response, value: Json, parameters: Parameters, paths: AnswerPaths): void {
  const cut = cutOf(parameters, paths);
  const indent = flag(parameters, 'pretty') ? 2 : undefined;
  response.setHeader('content-type', JSON_TYPE);
  response.end(`${stringify(cut(value), indent)}\n`);
}

export interface ListAnswer<T> {
  readonly name: string;
  readonly rows: readonly T[];
  shape(row: T): Json;
  readonly nextPageToken: string | null;
  readonly totalCount: number | null;
  readonly paths: AnswerPaths;
}

/** Sends a list: JSON with one object a line, indented with `pretty`, or CSV. */
export function sendList<T>(request: Request, response: Response, parameters: Parameters, list: ListAnswer<T>): void {
  const { name, rows, nextPageToken, totalCount, paths } = list;
  const cut = cutOf(parameters, paths);
  if (nextPageToken !== null) response.setHeader('link', nextLink(request, nextPageToken));
  response.setHeader('vary', 'accept');
  if (wantsCsv(request, parameters)) {
    response.setHeader('content-type', CSV_TYPE);
    response.end(
      toCsv(
        rows.map((row) => list.shape(row)),
        columnsOf(parameters, paths),
      ),
    );
    return;
  }
  const tail = { ...(totalCount !== null && { totalCount }), ...(nextPageToken !== null && { nextPageToken }) };
  response.setHeader('content-type', JSON_TYPE);
  if (flag(parameters, 'pretty')) {
    response.end(`${stringify({ [name]: rows.map((row) => cut(list.shape(row))), ...tail }, 2)}\n`);
    return;
  }
  const lines = rows.map((row) => stringify(cut(list.shape(row))));
  const rest = Object.keys(tail).length === 0 ? '}' : `,${stringify(tail).slice(1)}`;
  const inner = lines.length === 0 ? '' : `\n${lines.join(',\n')}\n`;
  response.end(`{"${name}":[${inner}]${rest}\n`);
}

export interface SeriesAnswer {
  /** Beginning, end and length of the steps, and when each begins. */
  readonly steps: Json & { readonly timestamps: readonly string[] };
  readonly series: readonly Json[];
  readonly paths: AnswerPaths;
}

/** Sends series: JSON with one a line, or CSV with a line for each step of each series. */
export function sendSeries(request: Request, response: Response, parameters: Parameters, answer: SeriesAnswer): void {
  const { steps, series, paths } = answer;
  const cut = cutOf(parameters, paths);
  response.setHeader('vary', 'accept');
  if (wantsCsv(request, parameters)) {
    response.setHeader('content-type', CSV_TYPE);
    response.end(toCsv(rowsByStep(steps.timestamps, series.map(cut)), ['time', ...columnsOf(parameters, paths)]));
    return;
  }
  response.setHeader('content-type', JSON_TYPE);
  if (flag(parameters, 'pretty')) {
    response.end(`${stringify({ ...steps, series: series.map(cut) }, 2)}\n`);
    return;
  }
  const lines = series.map((row) => stringify(cut(row)));
  const inner = lines.length === 0 ? '' : `\n${lines.join(',\n')}\n`;
  response.end(`${stringify(steps).slice(0, -1)},"series":[${inner}]}\n`);
}

/** A row for each step, with a single value where a series has a list of them. */
export function rowsByStep(timestamps: readonly string[], series: readonly Json[]): Json[] {
  return series.flatMap((row) => {
    const lists = Object.entries((row['values'] ?? {}) as Readonly<Record<string, readonly unknown[]>>);
    return timestamps.map((time, step) => ({
      ...row,
      time,
      values: Object.fromEntries(lists.map(([name, values]) => [name, values[step]])),
    }));
  });
}

export function cutOf(parameters: Parameters, paths: AnswerPaths): Cut {
  const fields = fieldsOf(parameters);
  checkPaths(fields, paths.all);
  return cutTo(fields);
}

/** The columns that `fields` names or that lie below what it names. */
function columnsOf(parameters: Parameters, { leaves }: AnswerPaths): readonly string[] {
  const fields = fieldsOf(parameters);
  if (fields === undefined) return leaves;
  return leaves.filter((leaf) => fields.some((field) => leaf === field || leaf.startsWith(`${field}.`)));
}

function wantsCsv(request: Request, parameters: Parameters): boolean {
  const format = text1(parameters, 'format');
  if (format !== undefined) return format === 'csv';
  const accepted = request.accepts(['application/json', 'text/csv']);
  if (accepted === false) throw new ProcflowError('NOT_ACCEPTABLE', 'lists are application/json or text/csv');
  return accepted === 'text/csv';
}

function nextLink(request: Request, token: string): string {
  const [path = '', search = ''] = request.originalUrl.split('?', 2);
  const kept = search.split('&').filter((part) => part !== '' && !part.startsWith('pageToken='));
  const url = `${path}?${[...kept, `pageToken=${token}`].join('&')}`;
  // Operators may have come unescaped, and would end the link early.
  return `<${url.replace(/[^!-~]|[<>"]/g, encodeURIComponent)}>; rel="next"`;
}

function fieldsOf(parameters: Parameters): readonly string[] | undefined {
  return parameters.has('fields') ? texts(parameters, 'fields') : undefined;
}
