import { Conn, Consumer, Consumers } from '@samovar/eda';
import { BackgroundService, Check } from '@samovar/server';
import { ContainerModule } from 'inversify';
import { ConsumersCheck } from './check.ts';
import { RunningConsumers } from './running.ts';
import { ConsumersService } from './service.ts';

/**
 * Binds {@link Consumers}, a service that runs every bound {@link Consumer}, and a check of what the log keeps of them.
 * Needs {@link Conn}, which has to be closed after the server has stopped. List it behind the modules of whatever the
 * consumers use. Two consumers of one name are refused with a DuplicateConsumerError when the service is made.
 */
export const consumersModule = new ContainerModule(({ bind }) => {
  bind(RunningConsumers)
    .toResolvedValue(() => new RunningConsumers(), [])
    .inSingletonScope();
  bind(Consumers).toService(RunningConsumers);
  bind(BackgroundService)
    .toResolvedValue(
      (conn: Conn, consumers: Consumer[], running: RunningConsumers) => new ConsumersService(conn, consumers, running),
      [Conn, { serviceIdentifier: Consumer, isMultiple: true }, RunningConsumers],
    )
    .inSingletonScope();
  bind(Check)
    .toResolvedValue(
      (conn: Conn, consumers: Consumer[]) => new ConsumersCheck(conn, consumers),
      [Conn, { serviceIdentifier: Consumer, isMultiple: true }],
    )
    .inSingletonScope();
});
