import { Db, Migrations } from '@samovar/db';
import { Check, Initializer, Logger } from '@samovar/server';
import { ContainerModule } from 'inversify';
import { DatabaseCheck } from './check.ts';
import { connect } from './connect.ts';
import type { SqlDb } from './db.ts';
import { MigratingInitializer } from './initializer.ts';

export { connect, sqliteFile } from './connect.ts';
export type { SqlDb } from './db.ts';
export { MigratingInitializer } from './initializer.ts';
export { type MigrationStep, migrate, pendingMigrations } from './migrate.ts';

export interface DbOptions {
  /** As {@link connect} takes it. */
  readonly url: string;
  /** false: a start where migrations are pending is refused, with MigrationsPendingError. Default: true. */
  readonly migrateAtStart?: boolean;
}

/**
 * Binds Db, and runs all bound Migrations at the start; list it before the modules that have some in use. Needs Logger.
 * The database is closed when the container unbinds it, which must be awaited: `await container.unbindAllAsync()`.
 */
export function dbModule({ url, migrateAtStart = true }: DbOptions): ContainerModule {
  return new ContainerModule(({ bind }) => {
    bind(Db)
      .toResolvedValue(
        (logger) => connect(url, (error) => logger.error('a callback after a commit failed', { err: error })),
        [Logger],
      )
      .inSingletonScope()
      .onDeactivation((db) => (db as SqlDb)[Symbol.asyncDispose]());
    bind(Initializer)
      .toResolvedValue(
        (db: Db, migrations: Migrations[]) => new MigratingInitializer(db, migrations, migrateAtStart),
        [Db, { serviceIdentifier: Migrations, isMultiple: true }],
      )
      .inSingletonScope();
    bind(Check)
      .toResolvedValue(
        (db: Db, migrations: Migrations[]) => new DatabaseCheck(db, migrations, migrateAtStart),
        [Db, { serviceIdentifier: Migrations, isMultiple: true }],
      )
      .inSingletonScope();
  });
}
