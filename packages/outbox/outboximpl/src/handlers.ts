import type { Bus } from '@samovar/bus';
import { GetStatusQuery, ListRowsQuery, type Outbox, SkipRowCommand } from '@samovar/outbox';
import type { Initializer } from '@samovar/server';

/** Answers every command and query of the root on the bus. */
export class OutboxHandlers implements Initializer {
  readonly #bus: Bus;
  readonly #outbox: Outbox;

  constructor(bus: Bus, outbox: Outbox) {
    this.#bus = bus;
    this.#outbox = outbox;
  }

  init(): void {
    const [bus, outbox] = [this.#bus, this.#outbox];
    bus.addHandler(ListRowsQuery, async (ctx, query) => [...(await outbox.listRows(ctx, query))]);
    bus.addHandler(GetStatusQuery, (ctx, query) => outbox.getStatus(ctx, query));
    bus.addHandler(SkipRowCommand, (ctx, command) => outbox.skipRow(ctx, command));
  }
}
