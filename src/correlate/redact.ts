/** Takes secrets out of command lines before anything else sees them. */

const MASK = '***';

export type Redactor = (args: readonly string[]) => readonly string[];

/**
 * Makes a redactor of regular expressions, which are matched against the arguments joined by a space, so that one can
 * span several (`--password (\S+)`). With groups only what those match is masked.
 */
export function makeRedactor(patterns: readonly string[]): Redactor {
  if (patterns.length === 0) return (args) => args;
  const expressions = patterns.map((source) => new RegExp(source, 'dgu'));
  return (args) => {
    const line = args.join(' ');
    const spans = expressions.flatMap((expression) => matchedSpans(expression, line));
    return spans.length === 0 ? args : masked(args, merged(spans));
  };
}

type Span = readonly [start: number, end: number];

function matchedSpans(expression: RegExp, line: string): Span[] {
  return [...line.matchAll(expression)].flatMap((match): Span[] => {
    const [whole, ...groups] = (match.indices ?? []) as (Span | undefined)[];
    const matched = groups.filter((group) => group !== undefined);
    return groups.length > 0 ? matched : whole === undefined ? [] : [whole];
  });
}

function merged(spans: Span[]): Span[] {
  const result: [number, number][] = [];
  for (const [start, end] of spans.sort((a, b) => a[0] - b[0])) {
    const last = result.at(-1);
    if (last !== undefined && start <= last[1]) last[1] = Math.max(last[1], end);
    else if (end > start) result.push([start, end]);
  }
  return result;
}

function masked(args: readonly string[], spans: readonly Span[]): string[] {
  let offset = 0;
  return args.map((arg) => {
    let text = '';
    let at = 0;
    for (const [start, end] of spans) {
      const from = Math.max(0, start - offset);
      const to = Math.min(arg.length, end - offset);
      if (from >= to) continue;
      text += arg.slice(at, from) + MASK;
      at = to;
    }
    offset += arg.length + 1;
    return text + arg.slice(at);
  });
}
