import type { Context } from '@samovar/context';
import type { Db, Migrations } from '@samovar/db';
import type { Check, Finding } from '@samovar/server';
import { pendingMigrations } from './migrate.ts';

/** Whether the database can be reached, and is as the services need it. */
export class DatabaseCheck implements Check {
  readonly name = 'database';
  readonly #db: Db;
  readonly #migrations: readonly Migrations[];
  readonly #migrateAtStart: boolean;

  constructor(db: Db, migrations: readonly Migrations[], migrateAtStart: boolean) {
    this.#db = db;
    this.#migrations = migrations;
    this.#migrateAtStart = migrateAtStart;
  }

  async check(ctx: Context): Promise<readonly Finding[]> {
    const pending = await pendingMigrations(ctx, this.#db, this.#migrations);
    if (pending.length === 0) return [];
    const message = `migrations are pending: ${pending.map(({ service, name }) => `${service}/${name}`).join(', ')}`;
    if (this.#migrateAtStart) return [{ severity: 'note', message, mend: 'nothing: they run at the next start' }];
    return [{ severity: 'error', message, mend: 'run samovar migrate: no server starts before' }];
  }
}
