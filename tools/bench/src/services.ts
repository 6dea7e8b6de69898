import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Bus, DurableEvents } from '@samovar/bus';
import { busModule } from '@samovar/busimpl';
import { Db } from '@samovar/db';
import { Conn } from '@samovar/eda';
import { reposModule } from '@samovar/reposimpl';
import { Initializer, Logger } from '@samovar/server';
import { Container } from 'inversify';

/** Nobody reads it: what goes wrong shows in the numbers, or ends the benchmark. */
export const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };

/** A bus that nobody is on yet. */
export function makeBus(): Bus {
  return busContainer().get(Bus);
}

/** A bus with the service of repositories on it, which records into `conn`. */
export async function startServices(conn: Conn): Promise<Bus> {
  const container = busContainer();
  container.bind(Conn).toConstantValue(conn);
  // Nothing is archived here.
  container.load(reposModule({ archiveDir: join(tmpdir(), 'samovar-bench-archive') }));
  for (const initializer of container.getAll(Initializer)) await initializer.init();
  return container.get(Bus);
}

/** What a bus needs, and it. */
export function busContainer(): Container {
  const container = new Container();
  container.bind(Logger).toConstantValue(silent);
  // Nothing measured publishes durable events by the bus: it uses neither.
  container.bind(Db).toConstantValue({} as Db);
  container.bind(DurableEvents).toConstantValue({} as DurableEvents);
  container.load(busModule);
  return container;
}
