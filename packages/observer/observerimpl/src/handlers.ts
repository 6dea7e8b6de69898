import type { Bus } from '@samovar/bus';
import { ListObservedQuery, ObserveFoldersCommand, type Observer } from '@samovar/observer';
import type { Initializer } from '@samovar/server';

/** Answers every command and query of the root on the bus. */
export class ObserverHandlers implements Initializer {
  readonly #bus: Bus;
  readonly #observer: Observer;

  constructor(bus: Bus, observer: Observer) {
    this.#bus = bus;
    this.#observer = observer;
  }

  init(): void {
    const [bus, observer] = [this.#bus, this.#observer];
    bus.addHandler(ObserveFoldersCommand, (ctx, command) => observer.observeFolders(ctx, command));
    bus.addHandler(ListObservedQuery, (ctx, query) => observer.listObserved(ctx, query));
  }
}
