import { background } from '@samovar/context';
import { connect, migrate } from '@samovar/dbimpl';
import { activityMigrations } from './src/migrations.ts';

/** Opens the database at `url`, with the tables of leases. */
export async function openDb(url: string) {
  const db = connect(url, (error) => console.error(error));
  await migrate(background, db, [activityMigrations]);
  return db;
}
