import { Bus, DurableEvents } from '@samovar/bus';
import { Db, Migrations } from '@samovar/db';
import { Conn } from '@samovar/eda';
import { Outbox } from '@samovar/outbox';
import { BackgroundService, Check, Initializer, Logger } from '@samovar/server';
import { ContainerModule } from 'inversify';
import { OutboxCheck } from './check.ts';
import { OutboxHandlers } from './handlers.ts';
import { outboxMigrations } from './migrations.ts';
import { SqlQueue } from './queue.ts';
import { Relay } from './relay.ts';
import { OutboxService } from './service.ts';
import { SqlRowStore } from './store.ts';
import { Wakes } from './wakes.ts';

/**
 * Binds Outbox, its tables, the relay that empties it, what answers its commands and queries on the bus, and its check.
 * Needs Bus, Conn, Db and Logger; Outbox itself needs only Db.
 */
export const outboxModule = new ContainerModule(({ bind }) => {
  bind(Wakes)
    .toResolvedValue(() => new Wakes(), [])
    .inSingletonScope();
  bind(Outbox)
    .toResolvedValue((db, wakes) => new OutboxService(db, new SqlRowStore(db), wakes), [Db, Wakes])
    .inSingletonScope();
  bind(DurableEvents).toService(Outbox);
  bind(Migrations).toConstantValue(outboxMigrations);
  bind(BackgroundService)
    .toResolvedValue(
      (db, conn, logger, wakes) => new Relay(new SqlQueue(db), conn, logger, wakes),
      [Db, Conn, Logger, Wakes],
    )
    .inSingletonScope();
  bind(Initializer)
    .toResolvedValue((bus, outbox) => new OutboxHandlers(bus, outbox), [Bus, Outbox])
    .inSingletonScope();
  bind(Check)
    .toResolvedValue((outbox) => new OutboxCheck(outbox), [Outbox])
    .inSingletonScope();
});
