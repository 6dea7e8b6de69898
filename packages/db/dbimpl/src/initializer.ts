import { background } from '@samovar/context';
import type { Db, Migrations } from '@samovar/db';
import type { Initializer } from '@samovar/server';
import { migrate } from './migrate.ts';

/** Migrates at the start, before anything runs. */
export class MigratingInitializer implements Initializer {
  readonly #db: Db;
  readonly #migrations: readonly Migrations[];

  constructor(db: Db, migrations: readonly Migrations[]) {
    this.#db = db;
    this.#migrations = migrations;
  }

  init(): Promise<void> {
    return migrate(background, this.#db, this.#migrations);
  }
}
