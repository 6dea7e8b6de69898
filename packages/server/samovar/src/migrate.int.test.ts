import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { background, withCancel } from '@samovar/context';
import { type Migration, Migrations } from '@samovar/db';
import { startPostgres } from '@samovar/dbtest';
import { ContainerModule } from 'inversify';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { build } from './build.ts';
import { type Config, loadConfig } from './config.ts';
import { takeDataDir } from './datadir.ts';
import { migrate } from './migrate.ts';
import { run } from './run.ts';

let folder: string;
let data: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'samovar-'));
  data = join(folder, 'data');
});
afterEach(() => rmSync(folder, { recursive: true }));

const table = (name: string): Migration => ({
  name,
  statements: (db) => [db.schema.createTable(`tea_${name}`).addColumn('id', 'integer')],
});

const tea = (...steps: Migration[]) =>
  new ContainerModule(({ bind }) => void bind(Migrations).toConstantValue({ service: 'tea', steps }));

const configOf = (flags: Partial<Config> = {}) =>
  loadConfig({ flags: { data, port: 0, events: 'memory:', logLevel: 'silent', ...flags }, env: {}, cwd: folder });

/** What it tells of the service tea: other services have migrations too. */
async function told(config: Config, dryRun: boolean, ...steps: Migration[]): Promise<string[]> {
  const lines: string[] = [];
  const output = { line: (text: string) => void lines.push(text), problem: () => {}, canvas: undefined };
  await migrate(config, output, { dryRun }, tea(...steps));
  return lines.filter((line) => line.includes('tea/') || !line.includes('/'));
}

it('tells what it would apply, then applies that, once', async () => {
  const steps = [table('cups'), table('saucers')];
  const [config, would] = [configOf(), ['would apply tea/cups', 'would apply tea/saucers']];
  expect(await told(config, true, ...steps)).toEqual(would);
  expect(await told(config, true, ...steps)).toEqual(would);
  expect(await told(config, false, ...steps)).toEqual(['applied tea/cups', 'applied tea/saucers']);
  expect(await told(config, false, ...steps)).toEqual(['nothing to do']);
  expect(await told(config, true, ...steps)).toEqual(['nothing to do']);
});

it('lets a server start that is told not to migrate by itself', async () => {
  const config = configOf({ migrateAtStart: false });
  await told(config, false, table('cups'));
  const outdated = await build(config, tea(table('cups'), table('pots')));
  await expect(run(background, outdated)).rejects.toMatchObject({
    id: 'db.migrationsPending',
    details: { pending: ['tea/pots'] },
  });
  const { ctx, cancel } = withCancel(background);
  const { stopped } = await run(ctx, await build(config, tea(table('cups'))));
  cancel();
  await stopped;
});

it('keeps off a data directory in use, if the database is there', async () => {
  using _held = takeDataDir(data);
  await expect(told(configOf(), true, table('cups'))).rejects.toMatchObject({ id: 'samovar.dataDirHeld' });
  const database = `sqlite:${join(folder, 'elsewhere.db')}`;
  expect(await told(configOf({ database }), false, table('cups'))).toEqual(['applied tea/cups']);
});

it('needs no data directory where the database is PostgreSQL', async () => {
  await using postgres = await startPostgres();
  await using place = await postgres.freshDb((url) => ({ url, [Symbol.asyncDispose]: async () => {} }) as never);
  const config = configOf({ database: place.url });
  expect(await told(config, false, table('cups'))).toEqual(['applied tea/cups']);
  expect(await told(config, false, table('cups'))).toEqual(['nothing to do']);
  expect(readdirSync(folder)).toEqual([]);
});
