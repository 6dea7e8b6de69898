import { Bus } from '@samovar/bus';
import { Logger } from '@samovar/server';
import { ContainerModule } from 'inversify';
import { InProcessBus } from './bus.ts';

/** Binds {@link Bus}. */
export const busModule = new ContainerModule(({ bind }) => {
  bind(Bus)
    .toResolvedValue((logger) => new InProcessBus(reportTo(logger)), [Logger])
    .inSingletonScope();
});

function reportTo(logger: Logger): (error: unknown) => void {
  return (error) => logger.error('a callback after a commit failed', { err: error });
}
