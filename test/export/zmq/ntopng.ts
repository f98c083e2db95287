/** A collector that reads messages as ntopng does: the header by its length and number, drops by gaps in message ids. */
import assert from 'node:assert/strict';
import { createServer, type AddressInfo } from 'node:net';
import { Subscriber, type SocketOptions } from 'zeromq';
import { eventually } from '../../system/harness/eventually.js';

export type Value = number | string;

export interface NtopngMessage {
  readonly topic: string;
  readonly kind: 'TLV' | 'JSON';
  /** Null in the oldest header, which has none. */
  readonly messageId: number | null;
  readonly sourceId: number | null;
  readonly payload: Buffer;
}

export function readHeader(header: Buffer): Omit<NtopngMessage, 'payload'> {
  const topicOf = (length: number): string => header.toString('latin1', 0, length).replace(/\0+$/, '');
  if (header.length === 40) {
    assert.equal(header.readUInt32LE(32), 0);
    return { topic: topicOf(32), kind: 'JSON', messageId: null, sourceId: null };
  }
  const topic = topicOf(16);
  const version = header.readUInt8(16);
  if (header.length === 36) {
    assert.equal(version, 4);
    const flags = header.readUInt8(17);
    assert.equal(header.readUInt32LE(20), header.readUInt32LE(24));
    return {
      ...{ topic, kind: flags === 2 ? 'TLV' : 'JSON' },
      ...{ messageId: header.readUInt32BE(28), sourceId: header.readUInt32LE(32) },
    };
  }
  assert.ok(version === 2 || version === 3, `version ${version}`);
  const kind = version === 3 ? 'TLV' : 'JSON';
  const messageId = header.readUInt32BE(20);
  if (header.length === 24) return { topic, kind, messageId, sourceId: header.readUInt8(17) };
  assert.equal(header.length, 28);
  return { topic, kind, messageId, sourceId: header.readUInt32LE(24) };
}

/** The flows of a message, with keys as they came. */
export function flowsOf({ kind, payload }: Pick<NtopngMessage, 'kind' | 'payload'>): Record<string, Value>[] {
  if (kind === 'TLV') return readTlv(payload);
  const parsed = JSON.parse(payload.toString('utf8')) as Record<string, Value> | Record<string, Value>[];
  return Array.isArray(parsed) ? parsed : [parsed];
}

export function readTlv(payload: Buffer): Record<string, Value>[] {
  assert.equal(payload.readUInt16BE(0), 0x0101);
  const records: Record<string, Value>[] = [];
  let record: Record<string, Value> = {};
  let at = 2;
  const integer = (type: number): number => {
    const length = { 2: 1, 3: 2, 4: 4, 5: 8 }[type];
    assert.ok(length !== undefined, `type ${type} at ${at}`);
    const value = length === 8 ? Number(payload.readBigUInt64BE(at)) : payload.readUIntBE(at, length);
    at += length;
    return value;
  };
  const valueOf = (type: number): Value => {
    if (type === 10) {
      at += 4;
      return payload.readFloatLE(at - 4);
    }
    if (type !== 11) return integer(type);
    const length = payload.readUInt16BE(at);
    at += 2 + length;
    return payload.toString('utf8', at - length, at);
  };
  while (at < payload.length) {
    const types = payload.readUInt8(at++);
    if (types === 1) {
      records.push(record);
      record = {};
      continue;
    }
    const key = integer(types >> 4);
    record[key] = valueOf(types & 15);
  }
  assert.equal(Object.keys(record).length, 0, 'the last record has an end');
  return records;
}

export class Ntopng {
  readonly messages: NtopngMessage[] = [];
  readonly flows: Record<string, Value>[] = [];
  /** Messages that are missing, as ntopng counts them: by source, over all topics. */
  drops = 0;
  private readonly latest = new Map<number, number>();
  private readonly socket: Subscriber;

  constructor(options: SocketOptions<Subscriber> = {}, topics = ['flow', 'event', 'template', 'listening-ports']) {
    this.socket = new Subscriber({ linger: 0, ...options });
    this.socket.subscribe(...topics);
  }

  connect(endpoint: string): void {
    this.socket.connect(endpoint);
    void this.read();
  }

  /** @returns where it waits */
  async bind(endpoint = 'tcp://127.0.0.1:*'): Promise<string> {
    await this.socket.bind(endpoint);
    void this.read();
    return this.socket.lastEndpoint ?? '';
  }

  /** Connects, and takes nothing. */
  hang(endpoint: string): void {
    this.socket.connect(endpoint);
  }

  of(topic: string): NtopngMessage[] {
    return this.messages.filter((message) => message.topic === topic);
  }

  async hasFlows(count: number): Promise<void> {
    await eventually(() => assert.ok(this.flows.length >= count, `${this.flows.length} of ${count} flows came`));
  }

  close(): void {
    this.socket.close();
  }

  private async read(): Promise<void> {
    for await (const [header, payload, ...rest] of this.socket) {
      assert.ok(header !== undefined && payload !== undefined && rest.length === 0);
      const message = { ...readHeader(header), payload };
      this.messages.push(message);
      if (message.topic === 'flow') this.flows.push(...flowsOf(message));
      const { messageId, sourceId } = message;
      if (messageId === null || sourceId === null) continue;
      const before = this.latest.get(sourceId);
      if (before !== undefined && messageId > before + 1) this.drops += messageId - before - 1;
      this.latest.set(sourceId, messageId);
    }
  }
}

/** For an agent to wait at. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
