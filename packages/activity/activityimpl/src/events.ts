import {
  type EntityEvents,
  type EntityKind,
  type EntityRef,
  entityOf,
  entitySelector,
  entityStream,
  type OpenOptions,
} from '@samovar/activity';
import type { Context } from '@samovar/context';
import type { Conn, EventId, EventStream, Subscription } from '@samovar/eda';
import { v7 as uuid } from 'uuid';
import { News } from './news.ts';

/** The events of entities in a log that this process is connected to. */
export function connEntityEvents(conn: Conn): EntityEvents {
  return new ConnEntityEvents(conn);
}

class ConnEntityEvents implements EntityEvents {
  readonly #conn: Conn;

  constructor(conn: Conn) {
    this.#conn = conn;
  }

  open(ctx: Context, entity: EntityRef, { after, watch }: OpenOptions): EventStream {
    return this.#conn.read(ctx, entityStream(entity), after === null ? { watch } : { after, watch });
  }

  async *signals(ctx: Context, kinds: readonly EntityKind[]): AsyncGenerator<readonly EntityRef[]> {
    const news = new News(ctx);
    const subscriptions: Subscription[] = [];
    // Members of one name would share the events.
    const name = `activity-signals-${uuid()}`;
    try {
      for (const kind of kinds) {
        const options = { name: `${name}-${kind}` };
        subscriptions.push(
          await this.#conn.subscribe(entitySelector(kind), (_, { stream }) => news.add(stream), options),
        );
      }
      yield [];
      for (;;) {
        const entities = (await news.next()).map(entityOf).filter((entity) => entity !== undefined);
        if (entities.length > 0) yield entities;
      }
    } finally {
      await Promise.all(subscriptions.map((subscription) => subscription.unsubscribe()));
    }
  }

  head(ctx: Context, entity: EntityRef): Promise<EventId | null> {
    return this.#conn.head(ctx, entityStream(entity));
  }

  async *heads(
    ctx: Context,
    kinds: readonly EntityKind[],
  ): AsyncGenerator<{ readonly entity: EntityRef; readonly head: EventId }> {
    for (const kind of kinds) {
      for await (const { stream, head } of this.#conn.streams(ctx, entitySelector(kind))) {
        const entity = entityOf(stream);
        if (entity !== undefined) yield { entity, head };
      }
    }
  }
}
