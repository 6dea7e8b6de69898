import type { Readiness } from '@samovar/server';

/** What the server says about itself to those it runs: of its own, so that a service may ask without knowing the server. */
export class ReadinessFlag implements Readiness {
  #ready = false;

  isReady(): boolean {
    return this.#ready;
  }

  set(ready: boolean): void {
    this.#ready = ready;
  }
}
