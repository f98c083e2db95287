/** A program that counts datagrams: prints its port, and at the end of its input what it got. */
import { createSocket } from 'node:dgram';

const socket = createSocket({ type: 'udp4', recvBufferSize: 64 << 20 });
let messages = 0;
let octets = 0;
socket.on('message', (bytes) => {
  messages++;
  octets += bytes.length;
});
socket.bind(0, '127.0.0.1', () => console.log(`port ${socket.address().port}`));
process.stdin.resume().on('data', () => console.log(`got ${messages} ${octets}`));
