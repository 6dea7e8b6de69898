import { type EntityEvents, type EntityRef, entityStream } from '@samovar/activity';
import { background, type Context, withCancel } from '@samovar/context';
import type { EventId, EventStream } from '@samovar/eda';
import { responseBytes } from './history.ts';
import { newsOf } from './news.ts';
import { Watcher } from './watcher.ts';

/** What is new in entities that are watched, taken from the log once for all who watch the same, while anybody does. */
export class SharedWatches {
  readonly #events: EntityEvents;
  readonly #watches = new Map<string, Watch>();

  constructor(events: EntityEvents) {
    this.#events = events;
  }

  /** What the log has behind `after`. */
  read(ctx: Context, entity: EntityRef, after: EventId | null): EventStream {
    return this.#events.open(ctx, entity, { after, watch: false });
  }

  /** Whether nothing behind `after` has been given to the entity's watchers: who joins need not have a watch of its own. */
  reaches(entity: EntityRef, after: EventId | null): boolean {
    const watch = this.#watches.get(entityStream(entity));
    return watch === undefined || watch.reaches(after);
  }

  /** Whoever gets all events behind `after`. If the others' watch does not reach so far back, another takes its place. */
  join(entity: EntityRef, after: EventId | null): Watcher {
    const name = entityStream(entity);
    const watch = this.#watches.get(name);
    if (watch?.reaches(after)) return watch.add(after);
    const open = (ctx: Context) => this.#events.open(ctx, entity, { after, watch: true });
    const over = (ended: Watch) => {
      if (this.#watches.get(name) === ended) this.#watches.delete(name);
    };
    const own = new Watch(entity, after, open, over);
    this.#watches.set(name, own);
    return own.add(after);
  }
}

/** One reader of the log for all who watch an entity. */
class Watch {
  readonly entity: EntityRef;
  readonly #open: (ctx: Context) => EventStream;
  readonly #over: (watch: Watch) => void;
  readonly #watchers = new Set<Watcher>();
  readonly #scope = withCancel(background);
  #isRunning = false;
  /** All behind it is yet to be given. */
  #position: EventId | null;

  /** Opens the events behind `after` for the first watcher; calls `over` as soon as it gives nothing any more. */
  constructor(
    entity: EntityRef,
    after: EventId | null,
    open: (ctx: Context) => EventStream,
    over: (watch: Watch) => void,
  ) {
    this.entity = entity;
    this.#position = after;
    this.#open = open;
    this.#over = over;
  }

  reaches(after: EventId | null): boolean {
    return this.#position === null || (after !== null && after >= this.#position);
  }

  add(after: EventId | null): Watcher {
    // Mostly they are one id: thousands need not keep a string each.
    const watcher = new Watcher(after === this.#position ? this.#position : after, this);
    this.#watchers.add(watcher);
    if (!this.#isRunning) void this.#run();
    return watcher;
  }

  /** Without watchers it ends. */
  remove(watcher: Watcher): void {
    if (!this.#watchers.delete(watcher) || this.#watchers.size > 0) return;
    this.#over(this);
    this.#scope.cancel();
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    this.#isRunning = true;
    try {
      for await (const news of newsOf(this.#open(this.#scope.ctx), responseBytes)) {
        this.#position = news.last;
        for (const watcher of this.#watchers) watcher.offer(news);
      }
      this.#end((watcher) => watcher.end());
    } catch (error) {
      this.#end((watcher) => watcher.fail(error));
    }
  }

  #end(tell: (watcher: Watcher) => void): void {
    this.#over(this);
    for (const watcher of this.#watchers) tell(watcher);
  }
}
