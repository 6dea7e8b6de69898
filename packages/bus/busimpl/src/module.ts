import { Bus, DurableEvents } from '@samovar/bus';
import { Db } from '@samovar/db';
import { ContainerModule } from 'inversify';
import { InProcessBus } from './bus.ts';

/** Binds {@link Bus}. Needs Db and DurableEvents. */
export const busModule = new ContainerModule(({ bind }) => {
  bind(Bus)
    .toResolvedValue((db, durable) => new InProcessBus(db, durable), [Db, DurableEvents])
    .inSingletonScope();
});
