/**
 * The first part of a message to ntopng: a C structure as a compiler for x86-64 lays it out, which begins with the topic.
 * ntopng tells the four versions of it by their length and the number in them.
 */

/** 0: 40 octets, of every ntopng. 1: 24, from 4.0. 2: 28, from 5.4, with source ids of 32 bits. 3: 36, from 6.2. */
export type HeaderVersion = 0 | 1 | 2 | 3;

export type PayloadKind = 'TLV' | 'JSON';

/** What a subscriber asks for, by the first octets of the header. */
export const TOPICS = ['flow', 'event', 'template', 'listening-ports'] as const;
export type Topic = (typeof TOPICS)[number];

export interface HeaderFacts {
  readonly topic: Topic;
  readonly kind: PayloadKind;
  /** Octets of the payload. */
  readonly length: number;
  /** One more than that of the message before, over all topics. */
  readonly messageId: number;
  /** Tells this agent from others that the same ntopng listens to; in version 1 only its lowest octet counts. */
  readonly sourceId: number;
}

/** Topics are padded with zeros to this. */
const TOPIC_LENGTH = 16;
const LONG_TOPIC_LENGTH = 32;
/** In place of a version, what is in the payload. */
const NUMBER_OF_KIND = { JSON: 2, TLV: 3 } as const;
const EXTENDED = 4;
const TLV_FLAG = 2;

export function encodeHeader(version: HeaderVersion, facts: HeaderFacts): Buffer {
  switch (version) {
    case 0:
      return oldest(facts);
    case 1:
      return withShortSource(facts);
    case 2:
      return withLongSource(facts);
    case 3:
      return extended(facts);
  }
}

/** What a subscription must be the beginning of to get a topic. */
export function topicOctets(topic: Topic): string {
  return topic.padEnd(LONG_TOPIC_LENGTH, '\0');
}

function oldest({ topic, length }: HeaderFacts): Buffer {
  const header = Buffer.alloc(40);
  header.write(topic, 'latin1');
  header.writeUInt32LE(0, LONG_TOPIC_LENGTH);
  header.writeUInt32LE(length, LONG_TOPIC_LENGTH + 4);
  return header;
}

function withShortSource({ topic, kind, length, messageId, sourceId }: HeaderFacts): Buffer {
  const header = Buffer.alloc(24);
  header.write(topic, 'latin1');
  header.writeUInt8(NUMBER_OF_KIND[kind], TOPIC_LENGTH);
  header.writeUInt8(sourceId & 0xff, 17);
  header.writeUInt16BE(length & 0xffff, 18);
  header.writeUInt32BE(messageId, 20);
  return header;
}

function withLongSource({ topic, kind, length, messageId, sourceId }: HeaderFacts): Buffer {
  const header = Buffer.alloc(28);
  header.write(topic, 'latin1');
  header.writeUInt8(NUMBER_OF_KIND[kind], TOPIC_LENGTH);
  header.writeUInt16BE(length & 0xffff, 18);
  header.writeUInt32BE(messageId, 20);
  header.writeUInt32LE(sourceId, 24);
  return header;
}

function extended({ topic, kind, length, messageId, sourceId }: HeaderFacts): Buffer {
  const header = Buffer.alloc(36);
  header.write(topic, 'latin1');
  header.writeUInt8(EXTENDED, TOPIC_LENGTH);
  header.writeUInt8(kind === 'TLV' ? TLV_FLAG : 0, 17);
  // Without compression both lengths are the same.
  header.writeUInt32LE(length, 20);
  header.writeUInt32LE(length, 24);
  header.writeUInt32BE(messageId, 28);
  header.writeUInt32LE(sourceId, 32);
  return header;
}
