import { background, type Context, withCancel, withValue } from '@samovar/context';
import type { Db } from '@samovar/db';
import { connect as connectDb, migrate } from '@samovar/dbimpl';
import { type Conn, Data, type EventId, type NewEvent, type PublishOptions } from '@samovar/eda';
import { type Logger, workContext } from '@samovar/server';
import { outboxMigrations } from './src/migrations.ts';
import { SqlQueue } from './src/queue.ts';
import { Relay, type RelayOptions } from './src/relay.ts';
import { OutboxService } from './src/service.ts';
import { SqlRowStore } from './src/store.ts';
import { Wakes } from './src/wakes.ts';

export const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };

/** Opens the database at `url`, with the outbox's tables. */
export async function openDb(url: string) {
  const db = connectDb(url, (error) => console.error(error));
  await migrate(background, db, [outboxMigrations]);
  return db;
}

type Publish = (ctx: Context, stream: string, event: NewEvent, options?: PublishOptions) => Promise<EventId>;

/** `conn`, whose publish is `publish`, which gets what it stands for. */
export function publishing(
  conn: Conn,
  publish: (real: Publish, ...args: Parameters<Publish>) => Promise<EventId>,
): Conn {
  const real: Publish = (...args) => conn.publish(...args);
  return new Proxy(conn, {
    get(target, name) {
      if (name === 'publish') return (...args: Parameters<Publish>) => publish(real, ...args);
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** A log that has long forgotten all keys. */
export function forgetful(conn: Conn): Conn {
  return publishing(conn, (real, ctx, stream, event, { expectedHead } = {}) =>
    real(ctx, stream, event, expectedHead === undefined ? {} : { expectedHead }),
  );
}

/** An outbox over `db`, and its relay once that is started. Disposal stops the relay. */
export class TestOutbox implements AsyncDisposable {
  readonly outbox: OutboxService;
  readonly relay: Relay;
  readonly #scope = withCancel(background);
  #running: Promise<void> = Promise.resolve();

  constructor(db: Db, conn: Conn, { logger = silent, ...options }: RelayOptions & { readonly logger?: Logger } = {}) {
    const wakes = new Wakes();
    this.outbox = new OutboxService(db, new SqlRowStore(db), wakes);
    this.relay = new Relay(new SqlQueue(db), conn, logger, wakes, { leaseMs: 600, pollMs: 20, ...options });
  }

  /** Until it is disposed; what is under way then may finish while `work` lasts. */
  start(work = background): this {
    this.#running = this.relay.run(withValue(this.#scope.ctx, workContext, work));
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#scope.cancel();
    await this.#running;
  }
}

/** A logger that keeps what it is given, as `level message`. */
export function keepingLogger(): Logger & { readonly lines: string[] } {
  const lines: string[] = [];
  const keep = (level: string) => (message: string) => void lines.push(`${level} ${message}`);
  const logger = {
    lines,
    debug: keep('debug'),
    info: keep('info'),
    warn: keep('warn'),
    error: keep('error'),
    child: () => logger,
  };
  return logger;
}

export function numbered(n: number): NewEvent {
  return { type: 'tea.CupPoured', data: Data.json(n) };
}

/** The numbers of a stream's events. */
export async function numbers(conn: Conn, stream: string): Promise<number[]> {
  const found: number[] = [];
  for await (const { data } of conn.read(background, stream)) found.push(data.json<number>());
  return found;
}
