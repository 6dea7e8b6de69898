import {
  type EntityEvents,
  type EntityKind,
  type EntityRef,
  entityOf,
  entityStream,
  type OpenOptions,
} from '@samovar/activity';
import { type Context, throwIfDone } from '@samovar/context';
import type { Event, EventId, EventStream, NewEvent } from '@samovar/eda';
import { storedEvent } from './event.ts';

/** Events of entities in memory, as a test appends them. */
export class FakeEntityEvents implements EntityEvents {
  readonly #streams = new Map<string, Event[]>();
  readonly #watchers = new Set<(entity: EntityRef) => void>();
  readonly #disconnects = new Set<(error: Error) => void>();
  readonly #now: () => Date;
  #count = 0;

  /** `now` gives events their times. Default: the system's time. */
  constructor(now = () => new Date()) {
    this.#now = now;
  }

  /** Appends events to the entity's stream, and gives their ids. */
  append(entity: EntityRef, ...events: readonly NewEvent[]): EventId[] {
    const name = entityStream(entity);
    const stored = events.map((event) => storedEvent(name, ++this.#count, this.#now(), event));
    this.#streams.set(name, [...(this.#streams.get(name) ?? []), ...stored]);
    for (const watcher of this.#watchers) watcher(entity);
    return stored.map(({ id }) => id);
  }

  /** Ends all connections to the signals. */
  disconnect(error = new Error('the signals were disconnected')): void {
    for (const disconnect of this.#disconnects) disconnect(error);
  }

  open(ctx: Context, entity: EntityRef, { after, watch }: OpenOptions): EventStream {
    throwIfDone(ctx);
    const name = entityStream(entity);
    const events = () => this.#streams.get(name) ?? [];
    let next = after === null ? 0 : events().findLastIndex(({ id }) => id <= after) + 1;
    const news = (ctx: Context) => this.#news(ctx);
    async function* iterate(wait: boolean): AsyncGenerator<Event> {
      for (const end = wait ? Infinity : events().length; next < end; ) {
        throwIfDone(ctx);
        const event = events()[next];
        if (event === undefined) await news(ctx);
        else {
          next++;
          yield event;
        }
      }
      throwIfDone(ctx);
    }
    return { history: () => iterate(false), [Symbol.asyncIterator]: () => iterate(watch) };
  }

  async *signals(ctx: Context, kinds: readonly EntityKind[]): AsyncGenerator<readonly EntityRef[]> {
    let named = new Map<string, EntityRef>();
    let failure: Error | undefined;
    let wake = () => {};
    const watcher = (entity: EntityRef) => {
      if (kinds.includes(entity.kind)) named.set(entityStream(entity), entity);
      wake();
    };
    const disconnect = (error: Error) => {
      failure = error;
      wake();
    };
    const onAbort = () => wake();
    ctx.signal.addEventListener('abort', onAbort);
    this.#watchers.add(watcher);
    this.#disconnects.add(disconnect);
    try {
      yield [];
      for (;;) {
        throwIfDone(ctx);
        if (failure !== undefined) throw failure;
        if (named.size > 0) {
          const entities = [...named.values()];
          named = new Map();
          yield entities;
        } else await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      ctx.signal.removeEventListener('abort', onAbort);
      this.#watchers.delete(watcher);
      this.#disconnects.delete(disconnect);
    }
  }

  async head(ctx: Context, entity: EntityRef): Promise<EventId | null> {
    throwIfDone(ctx);
    return this.#streams.get(entityStream(entity))?.at(-1)?.id ?? null;
  }

  async *heads(
    ctx: Context,
    kinds: readonly EntityKind[],
  ): AsyncGenerator<{ readonly entity: EntityRef; readonly head: EventId }> {
    for (const [name, events] of this.#streams) {
      throwIfDone(ctx);
      const entity = entityOf(name);
      const head = events.at(-1)?.id;
      if (entity !== undefined && head !== undefined && kinds.includes(entity.kind)) yield { entity, head };
    }
  }

  /** Resolves when something was appended, or `ctx` is done. */
  #news(ctx: Context): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        ctx.signal.removeEventListener('abort', wake);
        this.#watchers.delete(wake);
        resolve();
      };
      ctx.signal.addEventListener('abort', wake);
      this.#watchers.add(wake);
    });
  }
}
