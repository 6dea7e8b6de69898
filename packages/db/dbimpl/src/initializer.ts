import { background } from '@samovar/context';
import { type Db, type Migrations, MigrationsPendingError } from '@samovar/db';
import type { Initializer } from '@samovar/server';
import { migrate, pendingMigrations } from './migrate.ts';

/** Sees to it that the database is migrated before anything runs: does it, or refuses to start where it is not. */
export class MigratingInitializer implements Initializer {
  readonly #db: Db;
  readonly #migrations: readonly Migrations[];
  readonly #migrateAtStart: boolean;

  constructor(db: Db, migrations: readonly Migrations[], migrateAtStart: boolean) {
    this.#db = db;
    this.#migrations = migrations;
    this.#migrateAtStart = migrateAtStart;
  }

  async init(): Promise<void> {
    if (this.#migrateAtStart) return await migrate(background, this.#db, this.#migrations);
    const pending = await pendingMigrations(background, this.#db, this.#migrations);
    if (pending.length > 0) throw new MigrationsPendingError(pending.map(({ service, name }) => `${service}/${name}`));
  }
}
