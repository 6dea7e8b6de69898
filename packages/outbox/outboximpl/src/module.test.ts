import 'reflect-metadata';
import { Bus } from '@samovar/bus';
import { FakeBus } from '@samovar/bustest';
import { background as ctx, withCancel } from '@samovar/context';
import { Db, Migrations } from '@samovar/db';
import { Conn } from '@samovar/eda';
import { connect } from '@samovar/edaimpl';
import { GetStatusQuery, Outbox } from '@samovar/outbox';
import { BackgroundService, Check, Initializer, Logger } from '@samovar/server';
import { Container } from 'inversify';
import { expect, it } from 'vitest';
import { numbered, numbers, openDb, silent } from '../testing.ts';
import { outboxModule } from './module.ts';

it('binds an Outbox that needs no bus, its tables, relay and check, and has its messages answered', async () => {
  await using conn = await connect('memory:');
  await using db = await openDb('sqlite::memory:');
  const container = new Container();
  container.bind(Db).toConstantValue(db);
  container.load(outboxModule);
  const outbox = container.get(Outbox);
  expect(container.get(Outbox)).toBe(outbox);
  expect(container.getAll(Migrations)).toMatchObject([{ service: 'outbox' }]);
  await outbox.add(ctx, 's', numbered(1));

  const bus = new FakeBus();
  container.bind(Bus).toConstantValue(bus);
  container.bind(Conn).toConstantValue(conn);
  container.bind(Logger).toConstantValue(silent);
  for (const initializer of container.getAll(Initializer)) await initializer.init();
  const handled = bus.catalogue().map(({ message }) => message.name);
  expect(handled).toEqual(['outbox.GetStatusQuery', 'outbox.ListRowsQuery', 'outbox.SkipRowCommand']);
  expect(await bus.dispatch(ctx, GetStatusQuery, {})).toMatchObject({ waiting: 1 });
  expect(await container.get(Check).check(ctx)).toEqual([]);

  const relay = container.get(BackgroundService);
  expect(relay).toMatchObject({ name: 'outbox relay' });
  const { ctx: running, cancel } = withCancel(ctx);
  const run = relay.run(running);
  await outbox.flushed(ctx);
  expect(await numbers(conn, 's')).toEqual([1]);
  cancel();
  await run;
});
