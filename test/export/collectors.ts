/** Collectors for the tests: they decode what comes, strictly, and can be made to hang or to close. */
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import net, { type AddressInfo, type Server, type Socket } from 'node:net';
import tls, { type TlsOptions } from 'node:tls';
import { Decoder, type DecodedMessage, type DecodedRecord } from './decoder.js';

/** What came over one connection, or over UDP. */
export class Received {
  readonly messages: DecodedMessage[] = [];
  readonly decoder = new Decoder();
  /** The other end closed in order: whole messages, then FIN. */
  isComplete = false;
  error: string | null = null;
  private rest = Buffer.alloc(0);

  datagram(bytes: Buffer): void {
    this.messages.push(this.decoder.decode(bytes));
  }

  /** A piece of a stream of IPFIX messages. */
  piece(bytes: Buffer): void {
    this.rest = Buffer.concat([this.rest, bytes]);
    while (this.rest.length >= 4 && this.rest.length >= this.rest.readUInt16BE(2)) {
      const length = this.rest.readUInt16BE(2);
      this.messages.push(this.decoder.decode(this.rest.subarray(0, length)));
      this.rest = this.rest.subarray(length);
    }
  }

  ended(): void {
    this.isComplete = this.rest.length === 0;
  }

  get flows(): DecodedRecord[] {
    return this.messages.flatMap(({ records }) => records.filter(({ template }) => !template.isOptions));
  }

  /** The latest value of an element of options records. */
  latest(name: string): number | string | undefined {
    const values = this.messages.flatMap(({ records }) => records.map((record) => record.values[name]));
    return values.filter((value) => value !== undefined).at(-1);
  }
}

export class UdpCollector {
  readonly received = new Received();
  private constructor(private readonly socket: UdpSocket) {
    socket.on('message', (bytes) => this.received.datagram(bytes));
  }

  static async start(port = 0): Promise<UdpCollector> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20 });
    const collector = new UdpCollector(socket);
    socket.bind(port, '127.0.0.1');
    await once(socket, 'listening');
    return collector;
  }

  get port(): number {
    return this.socket.address().port;
  }

  async stop(): Promise<void> {
    this.socket.close();
    await once(this.socket, 'close');
  }
}

export class StreamCollector {
  readonly connections: Received[] = [];
  private readonly sockets = new Set<Socket>();
  /** Reads nothing while it is true. */
  hangs = false;

  private constructor(private readonly server: Server) {}

  static async start(options: { port?: number; tls?: TlsOptions } = {}): Promise<StreamCollector> {
    const server = options.tls === undefined ? net.createServer() : tls.createServer(options.tls);
    const collector = new StreamCollector(server);
    server.on(options.tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) =>
      collector.take(socket),
    );
    server.listen(options.port ?? 0, '127.0.0.1');
    await once(server, 'listening');
    return collector;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get last(): Received {
    return this.connections.at(-1) ?? new Received();
  }

  /** Takes up reading again. */
  readOn(): void {
    this.hangs = false;
    for (const socket of this.sockets) socket.resume();
  }

  async stop(): Promise<void> {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
    await once(this.server, 'close');
  }

  private take(socket: Socket): void {
    const received = new Received();
    this.connections.push(received);
    this.sockets.add(socket);
    socket.on('data', (bytes: Buffer) => received.piece(bytes));
    socket.on('end', () => received.ended());
    socket.on('error', (error: NodeJS.ErrnoException) => (received.error = error.code ?? error.message));
    socket.on('close', () => this.sockets.delete(socket));
    if (this.hangs) socket.pause();
  }
}
