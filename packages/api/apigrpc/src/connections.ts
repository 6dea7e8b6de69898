import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { ConnectionInjector } from '@grpc/grpc-js';

/**
 * Takes connections and hands them to a gRPC server. gRPC's own listener knows no connections, only sessions: one whose
 * client does not read any more would stay open for ever.
 */
export class Connections {
  readonly #listener: Server;
  readonly #open = new Set<Socket>();
  #left = () => {};

  constructor(injector: ConnectionInjector) {
    this.#listener = createServer({ noDelay: true }, (socket) => {
      this.#open.add(socket);
      socket.once('close', () => {
        this.#open.delete(socket);
        if (this.#open.size === 0) this.#left();
      });
      // Whoever breaks a connection off is told nothing, and nobody else is.
      socket.on('error', () => {});
      injector.injectConnection(socket);
    });
  }

  /** @throws {Error} as node does, with a code. */
  async listen(host: string, port: number): Promise<AddressInfo> {
    await new Promise<void>((resolve, reject) => {
      this.#listener.once('error', reject);
      this.#listener.listen({ host, port }, resolve);
    });
    return this.#listener.address() as AddressInfo;
  }

  /** Takes no others. */
  stop(): void {
    if (this.#listener.listening) this.#listener.close();
  }

  /** Resolves when all are closed. */
  async closed(): Promise<void> {
    if (this.#open.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#left = resolve;
    });
  }

  /** Closes those that are left. */
  cut(): void {
    for (const socket of this.#open) socket.destroy();
  }
}
