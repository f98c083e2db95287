/** A program that counts messages as a subscriber: prints its port, and when it is asked what it got. */
import { Subscriber } from 'zeromq';

const socket = new Subscriber({ receiveHighWaterMark: 100_000, linger: 0 });
socket.subscribe('flow');
await socket.bind('tcp://127.0.0.1:*');
console.log(`port ${new URL(socket.lastEndpoint ?? '').port}`);
let messages = 0;
process.stdin.resume().on('data', () => console.log(`got ${messages}.`));
for await (const [header] of socket) if (header !== undefined) messages++;
