import { FakeBus } from '@samovar/bustest';
import { stickersContract } from './contract.ts';
import { FakeStickers } from './fake.ts';

stickersContract('FakeStickers', async () => {
  const bus = new FakeBus();
  return { stickers: new FakeStickers(bus), bus, [Symbol.asyncDispose]: async () => {} };
});
