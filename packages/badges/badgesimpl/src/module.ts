import { Badges } from '@samovar/badges';
import { Bus } from '@samovar/bus';
import { Db, Migrations } from '@samovar/db';
import { Initializer } from '@samovar/server';
import { ContainerModule } from 'inversify';
import { badgesMigrations } from './migrations.ts';
import { BadgesService } from './service.ts';
import { sqlBadgeStore } from './store.ts';

/** Binds Badges, and has its messages answered on the bus, and stickers listened to. Needs Bus and Db. */
export const badgesModule = new ContainerModule(({ bind }) => {
  bind(BadgesService)
    .toResolvedValue((bus, db) => new BadgesService(bus, sqlBadgeStore(db)), [Bus, Db])
    .inSingletonScope();
  bind(Badges).toService(BadgesService);
  bind(Initializer).toService(BadgesService);
  bind(Migrations).toConstantValue(badgesMigrations);
});
