import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A connection on which a test decides what is written at one time, and knows every byte that came. */
export class RawClient {
  #received: Buffer = Buffer.alloc(0);
  #ended = false;
  sent = 0;

  private constructor(readonly socket: Socket) {
    socket.setNoDelay(true);
    socket.on('data', (chunk) => (this.#received = Buffer.concat([this.#received, chunk])));
    socket.on('end', () => (this.#ended = true));
    socket.on('error', () => (this.#ended = true));
  }

  static async open(port: number): Promise<RawClient> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new RawClient(socket);
  }

  /** Writes each piece by a call of its own. */
  async send(...pieces: readonly string[]): Promise<void> {
    for (const piece of pieces) {
      this.sent += Buffer.byteLength(piece);
      await new Promise((resolve) => this.socket.write(piece, resolve));
    }
  }

  /** All that has come, once `enough` says so of it. */
  async until(enough: (text: string) => boolean): Promise<string> {
    while (!enough(this.#received.toString('latin1'))) {
      if (this.#ended) throw new Error(`the connection ended after ${this.#received.toString('latin1')}`);
      await once(this.socket, 'data');
    }
    return this.#received.toString('latin1');
  }

  /** All that came until the server closed. */
  async untilEnd(): Promise<string> {
    while (!this.#ended) await Promise.race([once(this.socket, 'end'), once(this.socket, 'error')]);
    return this.#received.toString('latin1');
  }

  /** Forgets what has come so far. */
  clear(): void {
    this.#received = Buffer.alloc(0);
  }

  async close(): Promise<void> {
    this.socket.destroy();
    if (!this.socket.closed) await once(this.socket, 'close');
  }
}
