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

interface Step {
  readonly service: string;
  readonly name: string;
  readonly statements: readonly CompiledQuery[];
  readonly checksum: string;
}

/** The key of the lock that processes which migrate one PostgreSQL database take: any number, the same for all. */
const lockKey = 5_316_288_401;

/**
 * Runs the steps that have not run on this database yet, in the order given, each in a transaction of its own. Several
 * processes may do so at once: each step runs once. What services that are not given once did is left alone.
 *
 * @throws {MigrationChangedError} before anything runs, if a service's steps do not begin with those that have run, as
 * they were then.
 * @throws whatever the database refuses a step for; the steps before it stay.
 */
export async function migrate(ctx: Context, db: Db, migrations: readonly Migrations[]): Promise<void> {
  const steps = migrations.flatMap(({ service, steps }) => steps.map((step) => compiled(ctx, db, service, step)));
  await locked(ctx, db, async (ctx) => {
    await makeTable(ctx, db);
    for (const service of new Set(migrations.map(({ service }) => service))) {
      await check(
        ctx,
        db,
        service,
        steps.filter((step) => step.service === service),
      );
    }
  });
  for (const step of steps) await locked(ctx, db, (ctx) => run(ctx, db, step));
}

/** Runs `fn` in a transaction, while no other process migrates. */
async function locked(ctx: Context, db: Db, fn: (ctx: Context) => Promise<void>): Promise<void> {
  const inTurn = async (ctx: Context) => {
    // SQLite's transactions have the lock already.
    if (db.dialect === 'postgres') await sql`select pg_advisory_xact_lock(${lockKey})`.execute(db.query(ctx));
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

async function check(ctx: Context, db: Db, service: string, steps: readonly Step[]): Promise<void> {
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
}

async function run(ctx: Context, db: Db, { service, name, checksum, statements }: Step): Promise<void> {
  const queries = db.query<Tables>(ctx);
  const row = await queries
    .selectFrom('db_migrations')
    .select('checksum')
    .where('service', '=', service)
    .where('name', '=', name)
    .executeTakeFirst();
  if (row !== undefined) {
    // Another process may have come first, with another step of that name.
    if (row.checksum !== checksum) throw new MigrationChangedError(service, name, 'was edited');
    return;
  }
  for (const statement of statements) await queries.executeQuery(statement);
  await queries.insertInto('db_migrations').values({ service, name, checksum, at: new Date().toISOString() }).execute();
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
