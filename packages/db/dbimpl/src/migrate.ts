import { createHash } from 'node:crypto';
import type { Context } from '@samovar/context';
import { type Db, type Migration, MigrationChangedError, type Migrations } from '@samovar/db';
import { type CompiledQuery, sql } from 'kysely';

interface Tables {
  readonly db_migrations: {
    readonly service: string;
    readonly name: string;
    readonly checksum: string;
    /** When it ran: ISO 8601, in UTC. */
    readonly at: string;
  };
}

/** A step of a service, by its names. */
export interface MigrationStep {
  readonly service: string;
  readonly name: string;
}

interface Step extends MigrationStep {
  readonly statements: readonly CompiledQuery[];
  readonly checksum: string;
}

/**
 * Runs the steps that have not run on this database yet, in the order given, each in a transaction of its own. Several
 * processes may do so at once: each step runs once. What services that are not given once did is left alone.
 * `onApplied` gets each step that this call has run, once it is committed.
 *
 * @throws {MigrationChangedError} before anything runs, if a service's steps do not begin with those that have run, as
 * they were then.
 * @throws whatever the database refuses a step for; the steps before it stay.
 */
export async function migrate(
  ctx: Context,
  db: Db,
  migrations: readonly Migrations[],
  onApplied: (step: MigrationStep) => void = () => {},
): Promise<void> {
  const steps = compiledAll(ctx, db, migrations);
  await locked(ctx, db, async (ctx) => {
    await makeTable(ctx, db);
    // What has run must be as it was; what has not is looked up step by step, as others may be at it.
    await pendingOf(ctx, db, migrations, steps);
  });
  for (const step of steps) {
    await locked(ctx, db, async (ctx) => {
      if (await run(ctx, db, step)) db.afterCommit(ctx, () => onApplied(step));
    });
  }
}

/**
 * The steps that {@link migrate} would run, in their order. Changes nothing.
 *
 * @throws {MigrationChangedError} as {@link migrate} does. @throws {DatabaseUnavailableError}
 */
export async function pendingMigrations(
  ctx: Context,
  db: Db,
  migrations: readonly Migrations[],
): Promise<readonly MigrationStep[]> {
  const steps = compiledAll(ctx, db, migrations);
  return (await hasTable(ctx, db)) ? await pendingOf(ctx, db, migrations, steps) : steps;
}

async function pendingOf(
  ctx: Context,
  db: Db,
  migrations: readonly Migrations[],
  steps: readonly Step[],
): Promise<readonly Step[]> {
  const pending = new Set<Step>();
  for (const service of new Set(migrations.map(({ service }) => service))) {
    const ofService = steps.filter((step) => step.service === service);
    for (const step of await pendingOfService(ctx, db, service, ofService)) pending.add(step);
  }
  return steps.filter((step) => pending.has(step));
}

/** Runs `fn` in a transaction, while no other process migrates. */
async function locked(ctx: Context, db: Db, fn: (ctx: Context) => Promise<void>): Promise<void> {
  const inTurn = async (ctx: Context) => {
    await db.lock(ctx, 'db_migrations');
    await fn(ctx);
  };
  await db.inTransaction(ctx, inTurn, { retry: true });
}

async function makeTable(ctx: Context, db: Db): Promise<void> {
  await db
    .query<Tables>(ctx)
    .schema.createTable('db_migrations')
    .ifNotExists()
    .addColumn('service', 'text', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('checksum', 'text', (column) => column.notNull())
    .addColumn('at', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('db_migrations_key', ['service', 'name'])
    .execute();
}

async function hasTable(ctx: Context, db: Db): Promise<boolean> {
  const count =
    db.dialect === 'postgres'
      ? sql<{ n: number }>`select count(to_regclass('db_migrations')) as n`
      : sql<{ n: number }>`select count(*) as n from sqlite_master where type = 'table' and name = 'db_migrations'`;
  const { rows } = await count.execute(db.query(ctx));
  return rows[0]?.n === 1;
}

/** Those of a service's steps that have not run. @throws {MigrationChangedError} */
async function pendingOfService(
  ctx: Context,
  db: Db,
  service: string,
  steps: readonly Step[],
): Promise<readonly Step[]> {
  const rows = await db
    .query<Tables>(ctx)
    .selectFrom('db_migrations')
    .select(['name', 'checksum'])
    .where('service', '=', service)
    .execute();
  const ran = new Map(rows.map(({ name, checksum }) => [name, checksum]));
  for (const name of ran.keys()) {
    if (!steps.some((step) => step.name === name)) throw new MigrationChangedError(service, name, 'is gone');
  }
  for (const [index, { name, checksum }] of steps.entries()) {
    const before = ran.get(name);
    if (before !== undefined && before !== checksum) throw new MigrationChangedError(service, name, 'was edited');
    if (before === undefined && index < ran.size) {
      throw new MigrationChangedError(service, name, 'was put before one that has run');
    }
  }
  return steps.slice(ran.size);
}

/** Whether this call has run it: another process may have come first. */
async function run(ctx: Context, db: Db, { service, name, checksum, statements }: Step): Promise<boolean> {
  const queries = db.query<Tables>(ctx);
  const row = await queries
    .selectFrom('db_migrations')
    .select('checksum')
    .where('service', '=', service)
    .where('name', '=', name)
    .executeTakeFirst();
  if (row !== undefined) {
    // It may have had another step of that name.
    if (row.checksum !== checksum) throw new MigrationChangedError(service, name, 'was edited');
    return false;
  }
  for (const statement of statements) await queries.executeQuery(statement);
  await queries.insertInto('db_migrations').values({ service, name, checksum, at: new Date().toISOString() }).execute();
  return true;
}

function compiledAll(ctx: Context, db: Db, migrations: readonly Migrations[]): readonly Step[] {
  return migrations.flatMap(({ service, steps }) => steps.map((step) => compiled(ctx, db, service, step)));
}

function compiled(ctx: Context, db: Db, service: string, step: Migration): Step {
  const statements = step
    .statements(db.query(ctx), db.dialect)
    .map((statement) => ('sql' in statement ? statement : statement.compile()));
  const text = statements.map(({ sql, parameters }) => JSON.stringify([sql, parameters.map(plain)])).join('\n');
  return { service, name: step.name, statements, checksum: createHash('sha256').update(text).digest('hex') };
}

/** A parameter as JSON can hold it. */
function plain(parameter: unknown): unknown {
  if (parameter instanceof Uint8Array) return { bytes: Buffer.from(parameter).toString('hex') };
  return typeof parameter === 'bigint' ? { integer: String(parameter) } : parameter;
}
