/**
 * An HTTP server whose answers tests know in advance: run as a program, with its port as argument, it says in a line on
 * standard output when it listens. The path says what to do; what follows it in the target is for the test to tell its exchanges apart.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

const server = createServer({ keepAliveTimeout: 60_000, requestTimeout: 0 }, (request, response) => {
  const [, action = '', argument = ''] = new URL(request.url ?? '/', 'http://localhost').pathname.split('/');
  if (action === 'early') answer(action, argument, request, response);
  let received = 0;
  request.on('data', (chunk: Buffer) => (received += chunk.length));
  request.on('end', () => {
    if (action === 'received') response.end(String(received));
    else if (action !== 'early') answer(action, argument, request, response);
  });
});

function answer(action: string, argument: string, request: IncomingMessage, response: ServerResponse): void {
  const size = Number(argument);
  switch (action) {
    case 'bytes':
      response.end('x'.repeat(size));
      return;
    case 'chunks':
      response.write('y'.repeat(size));
      setTimeout(() => response.write('z'), 20);
      setTimeout(() => response.end('end'), 40);
      return;
    case 'trailers':
      response.setHeader('trailer', 'x-sum');
      response.write('some');
      response.addTrailers({ 'x-sum': '4' });
      response.end();
      return;
    case 'status':
      response.statusCode = size;
      response.end();
      return;
    case 'early':
      response.statusCode = 413;
      response.end('too much');
      return;
    case 'cut':
      response.setHeader('content-length', 1000);
      response.write('0123456789', () => request.socket.destroy());
      return;
    case 'until-close':
      request.socket.end('HTTP/1.1 200 OK\r\n\r\nuntil the end');
      return;
    case 'hang':
      return;
    default:
      response.statusCode = 404;
      response.end();
  }
}

server.on('upgrade', (_, socket) => {
  socket.on('error', () => undefined);
  socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
  socket.on('data', (chunk) => socket.write(chunk));
});
server.on('connect', (_, socket) => {
  socket.on('error', () => undefined);
  socket.write('HTTP/1.1 200 Connected\r\n\r\n');
  socket.on('data', (chunk) => socket.write(chunk));
});
server.listen(Number(process.argv[2]), '127.0.0.1', () => process.stdout.write('listening\n'));
