import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Closes a server's connections that have no request on them. node's own closeIdleConnections leaves those that never
 * had one, such as a browser opens ahead of time: they would keep a server from closing until they time out.
 */
export class Connections {
  readonly #idle = new Set<Socket>();
  #closing = false;

  constructor(server: Server) {
    server.on('connection', (socket) => {
      this.#add(socket);
      socket.once('close', () => this.#idle.delete(socket));
    });
    server.on('request', ({ socket }, response) => {
      this.#idle.delete(socket);
      response.once('close', () => this.#add(socket));
    });
  }

  /** Now, and from now on as soon as their response is written. */
  closeIdle(): void {
    this.#closing = true;
    for (const socket of this.#idle) socket.destroy();
  }

  #add(socket: Socket): void {
    if (this.#closing) socket.end();
    else if (!socket.destroyed) this.#idle.add(socket);
  }
}
