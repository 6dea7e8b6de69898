import { type EntityEvents, type EntityKind, type EntityRef, entityKinds } from '@samovar/activity';
import { background, type Context, throwIfDone, withCancel } from '@samovar/context';
import { DomainError } from '@samovar/errors';
import { Gathering } from '../gathering.ts';

/** Who wants which signals. */
type Callers = Map<Gathering, ReadonlySet<EntityKind>>;

/** The signals of all entities, taken from the log once for all callers, while there are any. */
export class SharedSignals {
  readonly #events: EntityEvents;
  #source: Source | undefined;

  constructor(events: EntityEvents) {
    this.#events = events;
  }

  /** As {@link EntityEvents.signals}. What the log fails with reaches all callers. */
  async *open(ctx: Context, kinds: readonly EntityKind[]): AsyncGenerator<readonly EntityRef[]> {
    throwIfDone(ctx);
    if (this.#source === undefined || this.#source.isOver) this.#source = new Source(this.#events);
    const source = this.#source;
    const gathering = new Gathering();
    const stop = () => gathering.fail(ctx.signal.reason);
    ctx.signal.addEventListener('abort', stop, { once: true });
    source.add(gathering, new Set(kinds));
    try {
      for (;;) yield await gathering.next();
    } finally {
      ctx.signal.removeEventListener('abort', stop);
      source.remove(gathering);
    }
  }
}

/** One connection to the log's signals. */
class Source {
  readonly #callers: Callers = new Map();
  readonly #scope = withCancel(background);
  /** Whether no news is missed any more. */
  #isReady = false;
  #isOver = false;

  constructor(events: EntityEvents) {
    void this.#run(events);
  }

  /** Whether it gives no signals any more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  add(gathering: Gathering, kinds: ReadonlySet<EntityKind>): void {
    this.#callers.set(gathering, kinds);
    if (this.#isReady) gathering.add([]);
  }

  /** Without callers it ends. */
  remove(gathering: Gathering): void {
    this.#callers.delete(gathering);
    if (this.#callers.size > 0) return;
    this.#isOver = true;
    this.#scope.cancel();
  }

  /** Never rejects. */
  async #run(events: EntityEvents): Promise<void> {
    try {
      for await (const entities of events.signals(this.#scope.ctx, entityKinds)) this.#tell(entities);
      throw new DomainError('unavailable', 'activity.signalsEnded', { publicMessage: 'the log has ended its signals' });
    } catch (error) {
      this.#isOver = true;
      for (const gathering of this.#callers.keys()) gathering.fail(error);
    }
  }

  #tell(entities: readonly EntityRef[]): void {
    for (const [gathering, kinds] of this.#callers) {
      const wanted = entities.filter(({ kind }) => kinds.has(kind));
      if (wanted.length > 0 || !this.#isReady) gathering.add(wanted);
    }
    this.#isReady = true;
  }
}
