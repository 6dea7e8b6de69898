import { Db, Migrations } from '@samovar/db';
import { Initializer, Logger } from '@samovar/server';
import { ContainerModule } from 'inversify';
import { connect } from './connect.ts';
import type { SqlDb } from './db.ts';
import { MigratingInitializer } from './initializer.ts';

export { connect } from './connect.ts';
export type { SqlDb } from './db.ts';
export { migrate } from './migrate.ts';

export interface DbOptions {
  /** As {@link connect} takes it. */
  readonly url: string;
}

/**
 * Binds Db, and runs all bound Migrations at the start; list it before the modules that have some in use. Needs Logger.
 * The database is closed when the container unbinds it, which must be awaited: `await container.unbindAllAsync()`.
 */
export function dbModule({ url }: DbOptions): ContainerModule {
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
        (db: Db, migrations: Migrations[]) => new MigratingInitializer(db, migrations),
        [Db, { serviceIdentifier: Migrations, isMultiple: true }],
      )
      .inSingletonScope();
  });
}
