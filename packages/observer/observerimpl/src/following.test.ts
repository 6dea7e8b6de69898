import { FakeBus } from '@samovar/bustest';
import { background } from '@samovar/context';
import type { Logger } from '@samovar/server';
import pLimit from 'p-limit';
import { expect, it } from 'vitest';
import { Following } from './following.ts';
import { ObservedRepo } from './observed.ts';

it('does not begin a recording that was only asked for when it is closed', async () => {
  const bus = new FakeBus();
  const repo = new ObservedRepo(bus, { path: '/no/such/path', name: 'r' }, 'main');
  const logger: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => logger };
  const options = { work: background, limit: pLimit(1), logger, rescanEvery: 60_000 };
  const following = new Following(repo, options);
  following.changed();
  await following.close();
  following.changed();
  await following.close();
  expect(bus.dispatched).toEqual([]);
});
