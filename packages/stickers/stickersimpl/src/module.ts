import { Bus } from '@samovar/bus';
import { Db, Migrations } from '@samovar/db';
import { Consumer, Consumers } from '@samovar/eda';
import { Outbox } from '@samovar/outbox';
import { Initializer } from '@samovar/server';
import { Stickers } from '@samovar/stickers';
import { ContainerModule } from 'inversify';
import { StickerCounts } from './counts.ts';
import { stickersMigrations } from './migrations.ts';
import { StickersService } from './service.ts';
import { sqlCountStore } from './store.ts';

/** Binds Stickers and its projection, and has its messages answered on the bus. Needs Bus, Db, Outbox and Consumers. */
export const stickersModule = new ContainerModule(({ bind }) => {
  bind(StickersService)
    .toResolvedValue(
      (bus, db, outbox, consumers) => new StickersService(bus, sqlCountStore(db), outbox, consumers),
      [Bus, Db, Outbox, Consumers],
    )
    .inSingletonScope();
  bind(Stickers).toService(StickersService);
  bind(Initializer).toService(StickersService);
  bind(Consumer)
    .toResolvedValue((db) => new StickerCounts(sqlCountStore(db)), [Db])
    .inSingletonScope();
  bind(Migrations).toConstantValue(stickersMigrations);
});
