/** Who wants what: subscriptions as the socket passes them on. Whoever reaches the endpoint can send what looks like one. */
import { topicOctets, TOPICS, type Topic } from './header.js';

const UNSUBSCRIBE = 0;
const SUBSCRIBE = 1;
/** Different ones at a time; ntopng has ten. libzmq keeps them all, and takes them out one by one. */
const MOST_PREFIXES = 100;
/** Dozens of ntopngs that come back at once send fewer. */
const MOST_PER_SECOND = 1000;

export interface Taken {
  /** The topics that somebody subscribed to. */
  readonly subscribed: readonly Topic[];
  /**
   * Somebody is not subscribed any more to what is sent. That is all that can be told: the last has left, or somebody
   * unsubscribed who never was subscribed, and others are.
   */
  readonly isUncertain: boolean;
  /** More than subscribers send. */
  readonly isTooMuch: boolean;
}

export class Subscriptions {
  /** With the zeros of the topics; others match nothing that is sent. */
  private readonly prefixes = new Set<string>();
  private messages = { second: 0, count: 0 };

  wants(topic: Topic): boolean {
    for (const prefix of this.prefixes) if (topicOctets(topic).startsWith(prefix)) return true;
    return false;
  }

  /** Takes a message of a subscriber. */
  take(message: Uint8Array, nowMs: number): Taken {
    const second = Math.floor(nowMs / 1000);
    if (second !== this.messages.second) this.messages = { second, count: 0 };
    const prefix = Buffer.from(message.subarray(1)).toString('latin1');
    const topics = TOPICS.filter((topic) => topicOctets(topic).startsWith(prefix));
    const isOn = message[0] === SUBSCRIBE;
    if (isOn) this.prefixes.add(prefix);
    const isOff = message[0] === UNSUBSCRIBE && this.prefixes.delete(prefix);
    return {
      subscribed: isOn ? topics : [],
      isUncertain: isOff && topics.length > 0,
      isTooMuch: ++this.messages.count > MOST_PER_SECOND || this.prefixes.size > MOST_PREFIXES,
    };
  }

  clear(): void {
    this.prefixes.clear();
  }
}
