import type { Leases } from '@samovar/activity';
import { LeaseTable, MemoryLeases } from '@samovar/activitycore';

/** Leases of one worker in memory, which it can be made to lose. Workers hear of each other when they give a sign of life. */
export class FakeLeases extends MemoryLeases implements Leases {
  readonly #table: LeaseTable;

  constructor(table = new LeaseTable()) {
    super(table);
    this.#table = table;
  }

  /** Another worker for the same activities. */
  another(): FakeLeases {
    return new FakeLeases(this.#table);
  }

  /** Lets others claim what this worker has, as if it had given no sign of life for the lease time. */
  expire(): void {
    for (const entry of this.#table.entries.values()) if (entry.worker === this) entry.worker = undefined;
    this.#table.workers.delete(this);
  }
}
