import { Bus } from '@samovar/bus';
import { busModule } from '@samovar/busimpl';
import { background, withCancel } from '@samovar/context';
import { Db, Migrations } from '@samovar/db';
import { connect, migrate, type SqlDb } from '@samovar/dbimpl';
import type { FreshDb } from '@samovar/dbtest';
import { Conn, type Event } from '@samovar/eda';
import { connect as connectLog } from '@samovar/edaimpl';
import { consumersModule } from '@samovar/edaimpl/module';
import { Outbox } from '@samovar/outbox';
import { outboxModule } from '@samovar/outboximpl';
import { BackgroundService, Initializer, Logger } from '@samovar/server';
import { Stickers } from '@samovar/stickers';
import type { StickersUnderTest } from '@samovar/stickerstest/contract';
import { Container } from 'inversify';
import { stickersModule } from './src/module.ts';

/** Stickers on a database and a log in memory, with all that a server has running beside them. */
export interface RunningStickers extends StickersUnderTest {
  readonly db: Db;
  readonly conn: Conn;
  readonly outbox: Outbox;
}

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };

export function open(url: string): SqlDb {
  return connect(url, () => {});
}

/** Starts them on an empty database, which they own then. */
export async function startStickers(place: FreshDb): Promise<RunningStickers> {
  const container = new Container();
  const conn = await connectLog('memory:', { logger: null });
  container.bind(Db).toConstantValue(place.db);
  container.bind(Conn).toConstantValue(conn);
  container.bind(Logger).toConstantValue(silent);
  container.load(busModule, outboxModule, stickersModule, consumersModule);
  await migrate(background, place.db, container.getAll(Migrations));
  for (const initializer of container.getAll(Initializer)) await initializer.init();
  const { ctx, cancel } = withCancel(background);
  const stopped = Promise.all(container.getAll(BackgroundService).map((service) => service.run(ctx)));
  return {
    stickers: container.get(Stickers),
    bus: container.get(Bus),
    outbox: container.get(Outbox),
    db: place.db,
    conn,
    async [Symbol.asyncDispose]() {
      cancel();
      await stopped;
      await conn.close();
      await place[Symbol.asyncDispose]();
    },
  };
}

/** What is in a log now. */
export async function eventsOf(conn: Conn, selector: string): Promise<Event[]> {
  const events: Event[] = [];
  for await (const event of conn.read(background, selector).history()) events.push(event);
  return events;
}
