import type { Bus } from '@samovar/bus';
import type { Context } from '@samovar/context';
import { GetNumberQuery, NumberNotFoundError, NumberSet, type Numerical, SetNumberCommand } from '@samovar/numerical';
import type { Initializer } from '@samovar/server';
import type { NumberStore } from './store.ts';

/** Numbers in a store. */
export class NumericalService implements Numerical, Initializer {
  readonly #bus: Bus;
  readonly #store: NumberStore;

  constructor(bus: Bus, store: NumberStore) {
    this.#bus = bus;
    this.#store = store;
  }

  init(): void {
    this.#bus.addHandler(GetNumberQuery, (ctx, query) => this.getNumber(ctx, query));
    this.#bus.addHandler(SetNumberCommand, (ctx, command) => this.setNumber(ctx, command));
  }

  async getNumber(ctx: Context, query: GetNumberQuery): Promise<number> {
    const { id } = GetNumberQuery.parse(query);
    const value = await this.#store.get(ctx, id);
    if (value === undefined) throw new NumberNotFoundError(id);
    return value;
  }

  async setNumber(ctx: Context, command: SetNumberCommand): Promise<void> {
    const { id, value } = SetNumberCommand.parse(command);
    await this.#bus.inTransaction(ctx, async (ctx) => {
      await this.#store.set(ctx, id, value);
      await this.#bus.publish(ctx, NumberSet, { id, value });
    });
  }
}
