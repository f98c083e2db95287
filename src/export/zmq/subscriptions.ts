/** Who wants what: subscriptions as the socket tells them, counted by topic. */
import { topicOctets, TOPICS, type Topic } from './header.js';

const SUBSCRIBE = 1;

export class Subscriptions {
  private readonly counts = new Map<Topic, number>(TOPICS.map((topic) => [topic, 0]));

  wants(topic: Topic): boolean {
    return (this.counts.get(topic) ?? 0) > 0;
  }

  /** Takes what a subscriber sent. @returns the topics that somebody subscribed to with it */
  take(message: Uint8Array): readonly Topic[] {
    // A prefix of the topics with their zeros; others match nothing that is sent.
    const prefix = Buffer.from(message.subarray(1)).toString('latin1');
    const isOn = message[0] === SUBSCRIBE;
    const matching = TOPICS.filter((topic) => topicOctets(topic).startsWith(prefix));
    for (const topic of matching) {
      const count = (this.counts.get(topic) ?? 0) + (isOn ? 1 : -1);
      this.counts.set(topic, Math.max(0, count));
    }
    return isOn ? matching : [];
  }

  clear(): void {
    for (const topic of TOPICS) this.counts.set(topic, 0);
  }
}
