import type { WorkerLeases, Workers } from '@samovar/activity';
import type { Db } from '@samovar/db';
import type { Logger } from '@samovar/eda';
import { SqlLeases } from './leases.ts';
import { giveUpWorkers } from './membership.ts';

export interface SqlWorkersOptions {
  /** As for {@link SqlLeases}. Default: 10,000. */
  readonly leaseMs?: number;
  /**
   * Whether no other process has workers in this database: those that are found there are dead, and what they had is
   * free at once. Default: false.
   */
  readonly isAlone?: boolean;
}

/** Workers that share their activities in a database that has the tables of leases. */
export class SqlWorkers implements Workers {
  readonly leaseMs: number;
  readonly #db: Db;
  readonly #logger: Logger;
  readonly #isAlone: boolean;
  #cleared: Promise<void> | undefined;

  constructor(db: Db, logger: Logger, { leaseMs = 10_000, isAlone = false }: SqlWorkersOptions = {}) {
    this.leaseMs = leaseMs;
    this.#db = db;
    this.#logger = logger;
    this.#isAlone = isAlone;
  }

  async join(): Promise<WorkerLeases> {
    if (this.#isAlone) await this.#clear();
    return await SqlLeases.open(this.#db, { leaseMs: this.leaseMs, logger: this.#logger });
  }

  /** Once: whoever is found later has joined here. */
  async #clear(): Promise<void> {
    this.#cleared ??= giveUpWorkers(this.#db);
    try {
      await this.#cleared;
    } catch (error) {
      this.#cleared = undefined;
      throw error;
    }
  }
}
