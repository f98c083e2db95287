/** The client side of the API benchmarks, in a process of its own so that its CPU is not counted as the server's. */
import { request as httpRequest, Agent } from 'node:http';
import { connect, type Socket } from 'node:net';

/** What the parent asks for. */
export type LoadOrder =
  | {
      readonly kind: 'requests';
      readonly port: number;
      readonly body: string;
      readonly count: number;
      readonly connections: number;
    }
  | { readonly kind: 'subscribe'; readonly port: number; readonly clients: number; readonly query: string }
  | { readonly kind: 'count' };

export type LoadReport =
  | { readonly kind: 'done'; readonly bytes: number }
  | { readonly kind: 'subscribed' }
  | { readonly kind: 'counted'; readonly bytes: number };

let received = 0;

process.on('message', (order: LoadOrder) => {
  void follow(order).then((report) => process.send?.(report));
});

async function follow(order: LoadOrder): Promise<LoadReport> {
  switch (order.kind) {
    case 'requests':
      return { kind: 'done', bytes: await load(order) };
    case 'subscribe':
      await Promise.all(Array.from({ length: order.clients }, () => subscribe(order.port, order.query)));
      return { kind: 'subscribed' };
    case 'count':
      return { kind: 'counted', bytes: received };
  }
}

async function load({ port, body, count, connections }: Extract<LoadOrder, { kind: 'requests' }>): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  let left = count;
  let bytes = 0;
  const worker = async (): Promise<void> => {
    while (left-- > 0) bytes += await post(agent, port, body);
  };
  await Promise.all(Array.from({ length: connections }, worker));
  agent.destroy();
  return bytes;
}

function post(agent: Agent, port: number, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const request = httpRequest({ agent, port, path: '/graphql', method: 'POST', headers }, (response) => {
      let bytes = 0;
      response.on('data', (chunk: Buffer) => (bytes += chunk.length));
      response.on('end', () => {
        if (response.statusCode === 200) resolve(bytes);
        else reject(new Error(`status ${response.statusCode ?? 0}`));
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}

/**
 * A WebSocket client that only counts bytes: parsing would make the clients, and not the server, the bottleneck. Its
 * frames are written by hand with a mask of zeros.
 */
function subscribe(port: number, query: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', reject);
    socket.write(
      'GET /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n' +
        'Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n',
    );
    socket.once('data', () => {
      sendText(socket, '{"type":"connection_init"}');
      socket.once('data', () => {
        sendText(socket, JSON.stringify({ id: '1', type: 'subscribe', payload: { query } }));
        socket.on('data', (chunk) => (received += chunk.length));
        resolve();
      });
    });
  });
}

function sendText(socket: Socket, text: string): void {
  const payload = Buffer.from(text);
  const head = Buffer.alloc(payload.length < 126 ? 6 : 8);
  head[0] = 0x81;
  if (payload.length < 126) head[1] = 0x80 | payload.length;
  else {
    head[1] = 0x80 | 126;
    head.writeUInt16BE(payload.length, 2);
  }
  socket.write(Buffer.concat([head, payload]));
}
