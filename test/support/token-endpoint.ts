// Pipedrive's token endpoint as a real server: it counts, can rotate refresh tokens, and answers when the test wants it to.
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { Deferred } from './installations';

export class TokenEndpoint {
  origin = '';
  /** How many requests have come. */
  requests = 0;
  /** How many of them were answered with tokens. */
  refreshes = 0;
  connections = 0;
  mostConnections = 0;

  readonly #server = createServer();
  readonly #rotates: boolean;
  readonly #usedTokens = new Set<string>();
  readonly #open = new Set<Socket>();
  #arrival = new Deferred();
  #released: Promise<void> = Promise.resolve();
  #release = new Deferred();

  /** @param rotates whether each refresh ends the refresh token, and gives a new one */
  constructor({ rotates = false } = {}) {
    this.#rotates = rotates;
    this.#server.keepAliveTimeout = 60_000;
    this.#server.on('connection', (socket: Socket) => {
      this.#open.add(socket);
      this.connections += 1;
      this.mostConnections = Math.max(this.mostConnections, this.#open.size);
      socket.on('close', () => this.#open.delete(socket));
    });
    this.#server.on('request', async (request, response) => {
      const form = new URLSearchParams(await text(request));
      this.requests += 1;
      this.#arrival.resolve();
      this.#arrival = new Deferred();
      await this.#released;
      this.#answer(response, String(form.get('refresh_token')));
    });
  }

  async start(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.origin = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return this;
  }

  /** From now on no request is answered, until `release`. */
  hold(): void {
    this.#release = new Deferred();
    this.#released = this.#release.promise;
  }

  /** Answers the requests that were held. With `onlyLater` these stay without an answer, and later ones get theirs. */
  release({ onlyLater = false } = {}): void {
    this.#released = Promise.resolve();
    if (!onlyLater) this.#release.resolve();
  }

  /** Resolves when so many requests have come in all. */
  async arrived(count: number): Promise<void> {
    while (this.requests < count) await this.#arrival.promise;
  }

  async close(): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #answer(response: ServerResponse, refreshToken: string): void {
    response.setHeader('Content-Type', 'application/json');
    if (this.#rotates && this.#usedTokens.has(refreshToken)) {
      response.statusCode = 400;
      const message = 'Invalid grant: `refresh_token` is invalid';
      response.end(JSON.stringify({ success: false, message, error: 'invalid_grant' }));
      return;
    }
    this.#usedTokens.add(refreshToken);
    this.refreshes += 1;
    response.end(
      JSON.stringify({
        access_token: `new-${this.refreshes}-${'x'.repeat(500)}`,
        token_type: 'bearer',
        refresh_token: this.#rotates ? `refresh-token-${this.refreshes}` : refreshToken,
        scope: 'base',
        expires_in: 3600,
        api_domain: this.origin,
      }),
    );
  }
}
