import { EntityEvents, Workers } from '@samovar/activity';
import { FakeEntityEvents } from '@samovar/activitytest';
import { GrpcService } from '@samovar/api';
import { background, withCancel } from '@samovar/context';
import { BackgroundService, Logger } from '@samovar/server';
import { Container } from 'inversify';
import { expect, it } from 'vitest';
import { MemoryWorkers, testLogger } from '../testing.ts';
import { activityGrpcModule } from './module.ts';

it('brings the services of the protocol, and holds leases while it runs', async () => {
  const container = new Container();
  container.load(activityGrpcModule);
  container.bind(EntityEvents).toConstantValue(new FakeEntityEvents());
  const workers = new MemoryWorkers();
  container.bind(Workers).toConstantValue(workers);
  container.bind(Logger).toConstantValue(testLogger());
  const services = container.getAll(GrpcService);
  expect(services.map(({ schema }) => schema.name).sort()).toEqual([
    'EphemeralRegistry',
    'Leases',
    'LiveBroadcast',
    'Registry',
    'Repos',
  ]);
  for (const { schema, handlers } of services) expect(Object.keys(handlers)).toEqual(Object.keys(schema.method));
  const [remote] = container.getAll(BackgroundService);
  const { ctx, cancel } = withCancel(background);
  const running = remote?.run(ctx);
  const heartbeat = services.find(({ schema }) => schema.name === 'Leases')?.handlers.heartbeat as (
    ...args: readonly unknown[]
  ) => Promise<unknown>;
  expect(await heartbeat(background, { worker: 'a'.repeat(20) })).toMatchObject({
    leaseMs: workers.leaseMs,
  });
  expect(workers.members).toBe(1);
  cancel();
  await running;
  expect(workers.members).toBe(0);
  await expect(heartbeat(background, { worker: 'b'.repeat(20) })).rejects.toMatchObject({
    id: 'activity.stopping',
  });
});
