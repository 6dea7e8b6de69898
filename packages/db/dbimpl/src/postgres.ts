import type { Context } from '@samovar/context';
import { DatabaseUnavailableError, TransactionConflictError } from '@samovar/db';
import { Kysely, type KyselyPlugin, PostgresDialect, type PostgresPool, type PostgresPoolClient } from 'kysely';
import pg from 'pg';
import { type Database, type Queries, type RunningTransaction, running } from './database.ts';
import type { Holding } from './holding.ts';
import { whileGoing } from './waiting.ts';

const connections = 10;
const connectMs = 10_000;
const int8 = 20;

/** serialization_failure, deadlock_detected, lock_not_available */
const conflicts = new Set(['40001', '40P01', '55P03']);
/** connection_exception and its kind, admin_shutdown, crash_shutdown, cannot_connect_now; then the system's own. */
const connectionLost = /^(08...|57P0[123]|ECONN.*|EPIPE|ETIMEDOUT)$/;

/** PostgreSQL, through a pool of ten connections that are made when needed. */
export class PostgresServer implements Database {
  readonly dialect = 'postgres';
  readonly pool: Queries;
  readonly #transactions: Queries;
  readonly #connections: pg.Pool;

  constructor(url: string, holding: Holding) {
    this.#connections = new pg.Pool({
      connectionString: url,
      max: connections,
      connectionTimeoutMillis: connectMs,
      types: { getTypeParser },
    });
    // Connections that are lost fail the query that uses them; without listeners they would end the process.
    this.#connections.on('error', () => {});
    this.#connections.on('connect', (client) => client.on('error', () => {}));
    this.#transactions = new Kysely({ dialect: new PostgresDialect({ pool: translating(this.#connections) }) });
    this.pool = this.#transactions.withPlugin(guard(holding));
  }

  async begin(ctx: Context): Promise<RunningTransaction> {
    const beginning = this.#transactions.startTransaction().execute();
    try {
      return running(await whileGoing(ctx, beginning), () => {});
    } catch (error) {
      void beginning.then(
        (late) => running(late, () => {}).rollback(),
        () => {},
      );
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connections.end();
  }
}

/** Refuses writes that {@link Holding} does not allow: as on SQLite, where they could not be done. */
function guard(holding: Holding): KyselyPlugin {
  return {
    transformQuery({ node }) {
      if (node.kind !== 'SelectQueryNode' && node.kind !== 'RawNode') holding.throwIfHolding();
      return node;
    },
    transformResult: async ({ result }) => result,
  };
}

/** `pool`, whose failures are those that callers know. */
function translating(pool: pg.Pool): PostgresPool {
  const known = new WeakMap<pg.PoolClient, PostgresPoolClient>();
  return {
    options: pool.options,
    end: () => pool.end(),
    async connect() {
      const client = await pool.connect().catch((error: unknown) => {
        throw unavailable(error);
      });
      // The same for the same: Kysely remembers what it knows of a connection by the object.
      const wrapped = known.get(client) ?? translatingClient(client);
      known.set(client, wrapped);
      return wrapped;
    },
  };
}

function translatingClient(client: pg.PoolClient): PostgresPoolClient {
  const query = async (sql: string, parameters: readonly unknown[]) => {
    try {
      return await client.query(sql, [...parameters]);
    } catch (error) {
      throw translated(error);
    }
  };
  return {
    // Kysely's other form of it is for streams, which need a library that is not given to it.
    query: query as unknown as PostgresPoolClient['query'],
    release: (destroy) => client.release(destroy),
  };
}

function translated(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const code = 'code' in error ? String(error.code) : '';
  if (conflicts.has(code)) return new TransactionConflictError({ cause: error });
  // pg gives no code to a connection that ends under a query.
  const lost = connectionLost.test(code) || /^Connection terminated|not queryable$/.test(error.message);
  return lost ? unavailable(error) : error;
}

function unavailable(cause: unknown): DatabaseUnavailableError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new DatabaseUnavailableError(`the database cannot be reached: ${why}`, { cause });
}

function getTypeParser(oid: number, format?: 'text' | 'binary'): (text: string) => unknown {
  return oid === int8 ? toNumber : pg.types.getTypeParser(oid, format);
}

/** As SQLite's integers are read. */
function toNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`${text} is more than a number can hold`);
  return value;
}
