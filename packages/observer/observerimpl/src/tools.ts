import type { Engines, EntityEvents, EntityKind } from '@samovar/activity';
import type { Bus } from '@samovar/bus';
import type { Logger } from '@samovar/eda';

/** Commands and queries are all that activities need of a bus. */
export type Dispatcher = Pick<Bus, 'dispatch'>;

/** What it takes to observe: in the server, or in a worker that is connected to one. */
export interface Tools {
  readonly bus: Dispatcher;
  readonly engines: Engines;
  readonly events: EntityEvents;
  /** Told of repositories that cannot be recorded, and of connections that are lost. */
  readonly logger: Logger;
  /** Only activities of these kinds of entities are started. Default: all. */
  readonly kinds?: readonly EntityKind[];
}

/** Whether activities of this kind are started. */
export function isWanted({ kinds }: Tools, kind: EntityKind): boolean {
  return kinds === undefined || kinds.includes(kind);
}
