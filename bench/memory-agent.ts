// An agent whose connections lead to a server in memory: Node.js's HTTP client runs, and no network.
import { Agent } from 'node:http';
import { Duplex } from 'node:stream';

export class MemoryAgent extends Agent {
  /** @param respond yields the JSON for a request with this method */
  constructor(private readonly respond: (method: string) => string) {
    super({ keepAlive: true });
  }

  override createConnection(): Duplex {
    return new Connection(this.respond);
  }
}

/** Answers each request as soon as all of it has come. Node.js writes the head and the short body of one in one piece, or two. */
class Connection extends Duplex {
  private received = '';

  constructor(private readonly respond: (method: string) => string) {
    super();
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.received += chunk.toString('latin1');
    const head = this.received.indexOf('\r\n\r\n');
    const length = Number(/^content-length: (\d+)/im.exec(this.received)?.[1] ?? 0);
    if (head >= 0 && this.received.length >= head + 4 + length) {
      const body = this.respond(this.received.slice(0, this.received.indexOf(' ')));
      this.received = '';
      this.push(`HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    }
    done();
  }

  // What an agent and a request call of a socket.
  readonly bytesRead = 0;
  setKeepAlive(): this {
    return this;
  }
  setNoDelay(): this {
    return this;
  }
  setTimeout(): this {
    return this;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
}
