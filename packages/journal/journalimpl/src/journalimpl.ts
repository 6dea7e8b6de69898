import { setTimeout as sleep } from 'node:timers/promises';
import { type Context, throwIfDone } from '@samovar/context';
import { Turns } from '@samovar/context/turns';
import { type Conn, Data, type Event, type EventId, HeadConflictError, type NewEvent } from '@samovar/eda';
import {
  type Entity,
  type Fact,
  type Folding,
  type Journal,
  type Journals,
  UnreadableEventError,
} from '@samovar/journal';
import { LRUCache } from 'lru-cache';

export interface JournalOptions {
  /** How many entities are kept in memory: a whole number from 1 up. Default: 10,000. */
  readonly kept?: number;
}

/** A state that is in memory, and the last two events in it. */
interface Kept<S> {
  readonly state: S;
  previous: EventId | null;
  head: EventId | null;
}

/** What an event does to a state. */
interface Step<S> {
  readonly id: EventId;
  readonly apply: (state: S) => void;
}

/** Journals of entities on the streams of `conn`'s log. */
export function edaJournals(conn: Conn, options?: JournalOptions): Journals {
  return { of: (folding) => new EdaJournal(conn, folding, options) };
}

/** Entities on the streams of an event log. */
export class EdaJournal<S> implements Journal<S> {
  readonly #conn: Conn;
  readonly #folding: Folding<S>;
  readonly #folds: ReadonlyMap<string, Folding<S>['folds'][number]>;
  readonly #kept: LRUCache<string, Kept<S>>;
  readonly #turns = new Turns();

  constructor(conn: Conn, folding: Folding<S>, { kept = 10_000 }: JournalOptions = {}) {
    this.#conn = conn;
    this.#folding = folding;
    this.#folds = new Map(folding.folds.map((fold) => [fold.event.name, fold]));
    this.#kept = new LRUCache({ max: kept });
  }

  async load(ctx: Context, stream: string): Promise<Entity<S>> {
    return entityOf(await this.#load(ctx, stream));
  }

  /** In this process one change of a stream waits for the other: who decides at once would mostly decide in vain. */
  async change(ctx: Context, stream: string, decide: (state: S) => readonly Fact[]): Promise<Entity<S>> {
    return await this.#turns.take(ctx, stream, async () => {
      for (let lost = 0; ; lost++) {
        const { state, head } = await this.#load(ctx, stream);
        const facts = decide(state);
        if (facts.length === 0) return { state, head };
        try {
          return await this.append(ctx, stream, head, facts);
        } catch (error) {
          if (!(error instanceof HeadConflictError)) throw error;
          await pause(ctx, lost);
        }
      }
    });
  }

  async append(ctx: Context, stream: string, head: EventId | null, facts: readonly Fact[]): Promise<Entity<S>> {
    const ids = await this.#conn.publishAll(ctx, stream, facts.map(toNewEvent), { expectedHead: head });
    return entityOf(await this.#load(ctx, stream, ids.at(-1)));
  }

  async erase(ctx: Context, stream: string): Promise<void> {
    this.#kept.delete(stream);
    await this.#conn.erase(ctx, stream);
  }

  async *streams(ctx: Context, selector: string): AsyncGenerator<{ readonly stream: string; readonly head: EventId }> {
    for await (const { stream, head } of this.#conn.streams(ctx, selector)) yield { stream, head };
  }

  /** `known` is a head that the stream has had since this was called; undefined: the log is asked. */
  async #load(ctx: Context, stream: string, known?: EventId): Promise<Kept<S>> {
    let head: EventId | null | undefined = known;
    for (let erased = 0; ; erased++) {
      head ??= await this.#conn.head(ctx, stream);
      if (head === null) {
        this.#kept.delete(stream);
        return this.#initial();
      }
      const kept = this.#kept.get(stream);
      if (isAt(kept, head)) return kept;
      if (kept !== undefined && (await this.#extend(ctx, stream, kept, head))) return kept;
      const made = await this.#make(ctx, stream, head);
      if (made !== undefined) return made;
      // It was erased meanwhile, and has perhaps begun anew.
      head = undefined;
      await pause(ctx, erased);
    }
  }

  /**
   * Adds what is new up to `head`, at once, so that nobody who has the state sees one half of a commit. False: the stream
   * that the state is of was erased. An erased stream may have begun anew, so the last event known is read again: with
   * that and `head` in one stream, so is all between them and before, as erasing takes all, and ids only grow.
   */
  async #extend(ctx: Context, stream: string, kept: Kept<S>, head: EventId): Promise<boolean> {
    const last = kept.head;
    const steps: Step<S>[] = [];
    for await (const step of this.#steps(ctx, stream, kept.previous, head)) steps.push(step);
    if (steps[0]?.id !== last || steps.at(-1)?.id !== head) return false;
    try {
      for (const step of steps) take(kept, step);
    } catch (error) {
      // The fold that failed may have done half of its work.
      this.#kept.delete(stream);
      throw error;
    }
    return true;
  }

  /** The state at `head` or later, made from nothing; undefined: the stream was erased meanwhile. */
  async #make(ctx: Context, stream: string, head: EventId): Promise<Kept<S> | undefined> {
    const made = this.#initial();
    for await (const step of this.#steps(ctx, stream, null, head)) take(made, step);
    if (made.head !== head) return undefined;
    const kept = this.#kept.get(stream);
    if (isAt(kept, head)) return kept;
    this.#kept.set(stream, made);
    return made;
  }

  /** What the events behind `after` do, up to `head` at most. */
  async *#steps(ctx: Context, stream: string, after: EventId | null, head: EventId): AsyncGenerator<Step<S>> {
    for await (const event of this.#conn.read(ctx, stream, after === null ? {} : { after })) {
      if (event.id <= head) yield this.#stepOf(event);
      if (event.id >= head) return;
    }
  }

  #stepOf(event: Event): Step<S> {
    const fold = this.#folds.get(event.type);
    if (fold === undefined) return { id: event.id, apply: () => {} };
    try {
      const data = fold.event.upcast(Number(event.schema), event.data.json());
      return { id: event.id, apply: (state) => fold.apply(state, data, event) };
    } catch (cause) {
      throw new UnreadableEventError(event, { cause });
    }
  }

  #initial(): Kept<S> {
    return { state: this.#folding.initial(), previous: null, head: null };
  }
}

/** Steps that the state has taken already, as somebody else was faster, change nothing. */
function take<S>(kept: Kept<S>, { id, apply }: Step<S>): void {
  if (kept.head !== null && id <= kept.head) return;
  apply(kept.state);
  kept.previous = kept.head;
  kept.head = id;
}

/** Whether the state is as it was at `head`, or later: of a stream begun anew every id is larger. */
function isAt<S>(kept: Kept<S> | undefined, head: EventId): kept is Kept<S> {
  return kept !== undefined && kept.head !== null && kept.head >= head;
}

/** The head as it is now: the state goes on, but whoever appends behind this head has seen no more of it. */
function entityOf<S>({ state, head }: Kept<S>): Entity<S> {
  return { state, head };
}

function toNewEvent({ event: { name, version }, data }: Fact): NewEvent {
  return { type: name, schema: String(version), data: Data.json(data) };
}

/** Whoever was faster goes on being so for a while, probably. */
async function pause(ctx: Context, lost: number): Promise<void> {
  await sleep(Math.random() * Math.min(1_000, 2 ** lost), undefined, { signal: ctx.signal }).catch(() => {});
  throwIfDone(ctx);
}
