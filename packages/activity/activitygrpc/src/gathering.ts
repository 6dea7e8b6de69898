import { type EntityRef, entityStream } from '@samovar/activity';

/** Gathers entities, each once, however often it is added, until they are taken. */
export class Gathering {
  #entities = new Map<string, EntityRef>();
  #isReady = false;
  #failure: { readonly error: unknown } | undefined;
  #wake = () => {};

  /** None at all lets whoever waits go on, too. */
  add(entities: Iterable<EntityRef>): void {
    for (const entity of entities) this.#entities.set(entityStream(entity), entity);
    this.#isReady = true;
    this.#wake();
  }

  /** Nothing is added any more. The first call counts. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#wake();
  }

  /** Takes what there is, as soon as something was added. @throws what it has failed with, once all is taken. */
  async next(): Promise<readonly EntityRef[]> {
    while (!this.#isReady) {
      if (this.#failure !== undefined) throw this.#failure.error;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const entities = [...this.#entities.values()];
    this.#entities = new Map();
    this.#isReady = false;
    return entities;
  }
}
