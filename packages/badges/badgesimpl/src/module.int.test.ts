import { Badges } from '@samovar/badges';
import { Bus } from '@samovar/bus';
import { FakeBus } from '@samovar/bustest';
import { Db, Migrations } from '@samovar/db';
import { connect } from '@samovar/dbimpl';
import { Initializer } from '@samovar/server';
import { Container } from 'inversify';
import { expect, it } from 'vitest';
import { badgesMigrations } from './migrations.ts';
import { badgesModule } from './module.ts';
import { BadgesService } from './service.ts';

it('binds Badges, its migrations, what answers its messages on the bus, and what listens there', async () => {
  await using db = connect('sqlite::memory:', () => {});
  const bus = new FakeBus();
  const container = new Container();
  container.bind(Bus).toConstantValue(bus);
  container.bind(Db).toConstantValue(db);
  container.load(badgesModule);
  expect(container.get(Badges)).toBeInstanceOf(BadgesService);
  expect(container.getAll(Initializer)).toEqual([container.get(Badges)]);
  expect(container.getAll(Migrations)).toEqual([badgesMigrations]);
  for (const initializer of container.getAll(Initializer)) await initializer.init();
  const known = bus.catalogue().map(({ message }) => message.name);
  expect(known).toEqual(['badges.ListBadgesQuery', 'stickers.StickersSent']);
});
