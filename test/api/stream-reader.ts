import assert from 'node:assert/strict';
import type { Harness } from './harness.js';

/** Reads a stream piece by piece, up to a separator. */
export class Reader {
  #text = '';
  readonly #abort = new AbortController();
  #body: ReadableStreamDefaultReader<Uint8Array> | undefined;

  constructor(
    private readonly api: Harness,
    private readonly separator: string,
  ) {}

  async open(path: string, headers: Record<string, string> = {}): Promise<Response> {
    const response = await this.api.get(path, { headers, signal: this.#abort.signal });
    this.#body = response.body?.getReader();
    return response;
  }

  /** The next piece; undefined at the end. */
  async next(): Promise<string | undefined> {
    for (;;) {
      const end = this.#text.indexOf(this.separator);
      if (end >= 0) {
        const piece = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + this.separator.length);
        return piece;
      }
      const read = await this.#body?.read();
      if (read === undefined || read.done) return undefined;
      this.#text += Buffer.from(read.value).toString();
    }
  }

  close(): void {
    this.#abort.abort();
  }
}

export interface SseEvent {
  readonly id?: string;
  readonly event: string;
  readonly data: Record<string, unknown>;
}

export async function sseEvent(reader: Reader): Promise<SseEvent> {
  for (;;) {
    const block = await reader.next();
    assert.ok(block !== undefined, 'the stream goes on');
    const fields = new Map(
      block.split('\n').map((line) => [line.split(': ', 1)[0] ?? '', line.slice(line.indexOf(': ') + 2)]),
    );
    const event = fields.get('event');
    if (event === undefined) continue;
    const id = fields.get('id');
    return {
      event,
      data: JSON.parse(fields.get('data') ?? 'null') as Record<string, unknown>,
      ...(id !== undefined && { id }),
    };
  }
}
