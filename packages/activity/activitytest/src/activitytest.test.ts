import { FakeLeases } from './activitytest.ts';
import { fakeWorld } from './contract/world.ts';
import { entityEventsContract, leasesContract } from './contract.ts';

entityEventsContract('FakeEntityEvents', fakeWorld);

leasesContract('FakeLeases', async () => {
  const leases = new FakeLeases();
  return {
    worker: async () => leases.another(),
    expire: async (worker) => (worker as FakeLeases).expire(),
    beat: async (worker) => (worker as FakeLeases).beat(),
    async [Symbol.asyncDispose]() {},
  };
});
