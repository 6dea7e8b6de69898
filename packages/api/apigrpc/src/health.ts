import type { Server } from '@grpc/grpc-js';
import type { Readiness } from '@samovar/server';
import { HealthImplementation, type ServingStatusMap } from 'grpc-health-check';

const everyMs = 200;

/** Tells whoever asks whether the server takes in work: of the server, under the empty name, and of each service. */
export class Health implements Disposable {
  readonly #names: readonly string[];
  readonly #readiness: Readiness;
  readonly #health: HealthImplementation;
  readonly #timer: NodeJS.Timeout;
  #isServing = false;

  constructor(services: readonly string[], readiness: Readiness) {
    this.#names = ['', ...services];
    this.#readiness = readiness;
    const statuses: ServingStatusMap = Object.fromEntries(this.#names.map((name) => [name, 'NOT_SERVING']));
    this.#health = new HealthImplementation(statuses);
    this.#timer = setInterval(() => this.#look(), everyMs).unref();
    this.#look();
  }

  addTo(server: Server): void {
    this.#health.addToServer(server);
  }

  /** From here on nothing is taken in. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#tell(false);
  }

  #look(): void {
    this.#tell(this.#readiness.isReady());
  }

  #tell(isServing: boolean): void {
    if (this.#isServing === isServing) return;
    this.#isServing = isServing;
    for (const name of this.#names) this.#health.setStatus(name, isServing ? 'SERVING' : 'NOT_SERVING');
  }
}
