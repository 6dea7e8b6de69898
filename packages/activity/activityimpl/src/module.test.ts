import { Engines, EntityEvents, endOfStream, Leases, ListActivitiesQuery, Workers } from '@samovar/activity';
import { Bus } from '@samovar/bus';
import { FakeBus } from '@samovar/bustest';
import { background, withCancel } from '@samovar/context';
import { Db, Migrations } from '@samovar/db';
import { Conn, Data } from '@samovar/eda';
import { connect } from '@samovar/edaimpl';
import { Uuid } from '@samovar/repos';
import { BackgroundService, Initializer, Logger } from '@samovar/server';
import { Container } from 'inversify';
import { expect, it, vi } from 'vitest';
import { openDb } from '../testing.ts';
import { activityModule, sqlWorkersModule } from './module.ts';

const logger: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => logger };
const repoId = Uuid.parse('0190f3a4-5b6c-7d8e-9f00-000000000001');

it('binds engines that run activities over the log, tells of them on the bus, and stops them with the server', async () => {
  await using conn = await connect('memory:', { logger: null });
  await using db = await openDb('sqlite::memory:');
  const bus = new FakeBus();
  const container = new Container();
  container.bind(Bus).toConstantValue(bus);
  container.bind(Conn).toConstantValue(conn);
  container.bind(Db).toConstantValue(db);
  container.bind(Logger).toConstantValue(logger);
  container.load(sqlWorkersModule(), activityModule({ cronMs: 3_600_000 }));
  expect(container.get(Workers)).toBe(container.get(Workers));
  expect(container.get(EntityEvents)).toBe(container.get(EntityEvents));
  expect(container.get(Leases)).toBe(container.get(Leases));
  expect(container.getAll(Migrations).map(({ service }) => service)).toEqual(['activity']);
  for (const initializer of container.getAll(Initializer)) await initializer.init();
  const { ctx, cancel } = withCancel(background);
  const stopped = Promise.all(container.getAll(BackgroundService).map((service) => service.run(ctx)));

  const engines = container.get(Engines);
  let runs = 0;
  const activity = async () => {
    runs++;
    return endOfStream(null);
  };
  await conn.publish(background, `repos.${repoId}`, { type: 'tea.Poured', data: Data.json({}) });
  await engines.lazy.startRepoActivity(background, repoId, activity, { name: 'lazy' });
  await engines.cron.startRepoActivity(background, repoId, activity, { name: 'cron' });
  await vi.waitFor(() => expect(runs).toBe(2));
  engines.signal({ kind: 'repo', repoId });
  await vi.waitFor(() => expect(runs).toBe(3));
  await vi.waitFor(async () =>
    expect(await bus.dispatch(background, ListActivitiesQuery, { limit: 100 })).toMatchObject({
      total: 2,
      activities: [
        { engine: 'lazy', kind: 'repo', stream: `repos.${repoId}`, name: 'lazy', state: 'sleeping', lag: 1 },
        { engine: 'cron', name: 'cron', state: 'sleeping', tail: null, lastError: null },
      ],
    }),
  );
  cancel();
  await stopped;
  expect(engines.lazy.activities()).toEqual([]);
  await expect(engines.cron.startRepoActivity(background, repoId, activity)).rejects.toThrow('stopped');
});
