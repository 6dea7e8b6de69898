import { background } from '@samovar/context';
import { Db, Migrations } from '@samovar/db';
import { type MigrationStep, migrate as migrateDb, pendingMigrations } from '@samovar/dbimpl';
import { Logger } from '@samovar/server';
import { Container, type ContainerModule } from 'inversify';
import { type Config, ownsDatabase } from './config.ts';
import { takeDataDir } from './datadir.ts';
import { stderrLogger } from './logger.ts';
import { modules } from './modules.ts';
import type { Output } from './output.ts';

export interface MigrateOptions {
  /** Tell only what there is to do. */
  readonly dryRun: boolean;
}

/**
 * Runs the migrations that the configured database lacks, and tells of each step. Nothing else is started; a database in
 * the data directory must not be in use by a server. `overrides` are as for `build`.
 *
 * @throws {DataDirUnusableError} @throws {DataDirHeldError} @throws {MigrationChangedError}
 * @throws {DatabaseUnavailableError} or whatever the database refuses a step for; the steps told of stay.
 */
export async function migrate(
  config: Config,
  output: Output,
  { dryRun }: MigrateOptions,
  ...overrides: ContainerModule[]
): Promise<void> {
  using _dataDir = ownsDatabase(config) ? takeDataDir(config.data) : undefined;
  const container = new Container();
  container.bind(Logger).toConstantValue(stderrLogger(config.logLevel));
  container.load(...modules(config), ...overrides);
  try {
    const db = container.get(Db);
    const migrations = container.getAll(Migrations);
    let steps = 0;
    const tell = (does: string) => (step: MigrationStep) => {
      steps++;
      output.line(`${does} ${step.service}/${step.name}`);
    };
    if (dryRun) (await pendingMigrations(background, db, migrations)).forEach(tell('would apply'));
    else await migrateDb(background, db, migrations, tell('applied'));
    if (steps === 0) output.line('nothing to do');
  } finally {
    await container.unbindAsync(Db);
  }
}
