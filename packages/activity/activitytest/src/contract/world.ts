import { type EntityEvents, type EntityRef, entityStream } from '@samovar/activity';
import { background } from '@samovar/context';
import type { Conn, EventId } from '@samovar/eda';
import { FakeEntityEvents } from '../events.ts';

/** Entities whose events engines run activities over. */
export interface World extends AsyncDisposable {
  readonly events: EntityEvents;
  /** Appends events of these types to the entity's stream. */
  append(entity: EntityRef, ...types: readonly string[]): Promise<readonly EventId[]>;
}

/** Events in memory. */
export async function fakeWorld(): Promise<World> {
  const events = new FakeEntityEvents();
  return {
    events,
    append: async (entity, ...types) => events.append(entity, ...types.map((type) => ({ type }))),
    async [Symbol.asyncDispose]() {},
  };
}

/** Events of a log, as `eventsOf` gives them. Disposal closes the connection. */
export async function logWorld(conn: Conn, eventsOf: (conn: Conn) => EntityEvents): Promise<World> {
  return {
    events: eventsOf(conn),
    append: (entity, ...types) =>
      conn.publishAll(
        background,
        entityStream(entity),
        types.map((type) => ({ type })),
      ),
    [Symbol.asyncDispose]: () => conn.close(),
  };
}
