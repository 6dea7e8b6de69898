import { FakeBus } from '@samovar/bustest';
import { numericalContract } from './contract.ts';
import { FakeNumerical } from './fake.ts';

numericalContract('FakeNumerical', async () => {
  const bus = new FakeBus();
  return { numerical: new FakeNumerical(bus), bus, [Symbol.asyncDispose]: async () => {} };
});
