import { Bus } from '@samovar/bus';
import { FakeBus } from '@samovar/bustest';
import { Observer } from '@samovar/observer';
import { BackgroundService, Initializer, Logger } from '@samovar/server';
import { Container } from 'inversify';
import { expect, it } from 'vitest';
import { observerModule } from './module.ts';
import { ObserverService } from './service.ts';

it('binds Observer, its messages on the bus and what runs in the background', async () => {
  const bus = new FakeBus();
  const logger: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => logger };
  const container = new Container();
  container.bind(Bus).toConstantValue(bus);
  container.bind(Logger).toConstantValue(logger);
  container.load(observerModule);
  expect(container.get(Observer)).toBeInstanceOf(ObserverService);
  expect(container.get(Observer)).toBe(container.get(Observer));
  for (const initializer of container.getAll(Initializer)) await initializer.init();
  const handled = bus.catalogue().map(({ message }) => message.name);
  expect(handled).toEqual(['observer.ListObservedQuery', 'observer.ObserveFoldersCommand']);
  const services = container.getAll(BackgroundService);
  expect(services.map(({ name }) => name)).toEqual(['observer']);
  expect(container.getAll(BackgroundService)).toEqual(services);
});
