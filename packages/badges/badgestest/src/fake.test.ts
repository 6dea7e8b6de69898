import { FakeBus } from '@samovar/bustest';
import { badgesContract } from './contract.ts';
import { FakeBadges } from './fake.ts';

badgesContract('FakeBadges', async () => {
  const bus = new FakeBus();
  return { badges: new FakeBadges(bus), bus, [Symbol.asyncDispose]: async () => {} };
});
