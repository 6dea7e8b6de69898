import type { Bus } from '@samovar/bus';
import type { Context } from '@samovar/context';
import { GetNumberQuery, NumberNotFoundError, NumberSet, type Numerical, SetNumberCommand } from '@samovar/numerical';

/**
 * Numbers in memory, answering on `bus` too. They know no transactions around a call: what one of those sets stays when
 * it rolls back.
 */
export class FakeNumerical implements Numerical {
  readonly #bus: Bus;
  readonly #numbers = new Map<number, number | undefined>();

  constructor(bus: Bus) {
    this.#bus = bus;
    bus.addHandler(GetNumberQuery, (ctx, query) => this.getNumber(ctx, query));
    bus.addHandler(SetNumberCommand, (ctx, command) => this.setNumber(ctx, command));
  }

  async getNumber(_ctx: Context, query: GetNumberQuery): Promise<number> {
    const { id } = GetNumberQuery.parse(query);
    const value = this.#numbers.get(id);
    if (value === undefined) throw new NumberNotFoundError(id);
    return value;
  }

  async setNumber(ctx: Context, command: SetNumberCommand): Promise<void> {
    const { id, value } = SetNumberCommand.parse(command);
    const before = this.#numbers.get(id);
    this.#numbers.set(id, value);
    try {
      await this.#bus.inTransaction(ctx, (ctx) => this.#bus.publish(ctx, NumberSet, { id, value }));
    } catch (error) {
      this.#numbers.set(id, before);
      throw error;
    }
  }
}
