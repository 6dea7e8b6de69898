import { FakeBus } from '@samovar/bustest';
import { FakeNumerical } from '@samovar/numericaltest';
import { alphabeticalContract } from './contract.ts';
import { FakeAlphabetical } from './fake.ts';

alphabeticalContract('FakeAlphabetical', async () => {
  const bus = new FakeBus();
  const numerical = new FakeNumerical(bus);
  const alphabetical = new FakeAlphabetical(bus, numerical);
  return { alphabetical, numerical, bus, [Symbol.asyncDispose]: async () => {} };
});
