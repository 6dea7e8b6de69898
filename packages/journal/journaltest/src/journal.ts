import { type Context, throwIfDone } from '@samovar/context';
import {
  checkStream,
  Data,
  type Event,
  type EventId,
  HeadConflictError,
  InvalidArgumentError,
  InvalidSelectorError,
  parseEventId,
} from '@samovar/eda';
import { type Entity, type Fact, type Fold, type Folding, type Journal, UnreadableEventError } from '@samovar/journal';

/** The events of each stream that has some. */
export type Streams = Map<string, Event[]>;

let events = 0;

/** Folds a stream from its beginning whenever it is asked. */
export class FakeJournal<S> implements Journal<S> {
  readonly #streams: Streams;
  readonly #folding: Folding<S>;

  constructor(streams: Streams, folding: Folding<S>) {
    this.#streams = streams;
    this.#folding = folding;
  }

  async load(ctx: Context, stream: string): Promise<Entity<S>> {
    throwIfDone(ctx);
    const events = this.#streams.get(checkStream(stream)) ?? [];
    const state = this.#folding.initial();
    for (const event of events) {
      const fold = this.#folding.folds.find((each) => each.event.name === event.type);
      fold?.apply(state, dataOf(fold, event), event);
    }
    return { state, head: events.at(-1)?.id ?? null };
  }

  async change(ctx: Context, stream: string, decide: (state: S) => readonly Fact[]): Promise<Entity<S>> {
    for (;;) {
      const { state, head } = await this.load(ctx, stream);
      const facts = decide(state);
      try {
        return await this.append(ctx, stream, head, facts);
      } catch (error) {
        if (!(error instanceof HeadConflictError)) throw error;
      }
    }
  }

  async append(ctx: Context, stream: string, head: EventId | null, facts: readonly Fact[]): Promise<Entity<S>> {
    throwIfDone(ctx);
    if (facts.length > 2_048) throw new InvalidArgumentError('events', 'are more than 2,048');
    const stored = this.#streams.get(checkStream(stream)) ?? [];
    const now = stored.at(-1)?.id ?? null;
    if (facts.length > 0) {
      if (now !== head) throw new HeadConflictError(stream, now, head);
      this.#streams.set(stream, [...stored, ...facts.map((fact) => eventOf(stream, fact))]);
    }
    return await this.load(ctx, stream);
  }

  async erase(ctx: Context, stream: string): Promise<void> {
    throwIfDone(ctx);
    this.#streams.delete(checkStream(stream));
  }

  async *streams(ctx: Context, selector: string): AsyncGenerator<{ readonly stream: string; readonly head: EventId }> {
    throwIfDone(ctx);
    const pattern = patternOf(selector);
    for (const [stream, events] of this.#streams) {
      const head = events.at(-1)?.id;
      if (head !== undefined && pattern.test(stream)) yield { stream, head };
    }
  }
}

function dataOf(fold: Pick<Fold<never>, 'event'>, event: Event): unknown {
  try {
    return fold.event.upcast(Number(event.schema), event.data.json());
  } catch (cause) {
    throw new UnreadableEventError(event, { cause });
  }
}

/** The data has been JSON, as in a log. */
function eventOf(stream: string, { event: { name, version }, data }: Fact): Event {
  const now = new Date();
  return {
    stream,
    id: parseEventId(String(++events).padStart(26, '0')),
    type: name,
    data: Data.decode('json', Data.json(data).encode()),
    time: now,
    ackTime: now,
    schema: String(version),
    client: '',
    aggregate: '',
    cause: null,
    meta: {},
    deliveries: 0,
    is: (...types) => types.includes(name),
  };
}

function patternOf(selector: string): RegExp {
  if (!/^(?:(?:[\w~-]+|\*)(?:\.(?:[\w~-]+|\*))*(?:\.>)?|>)$/.test(selector)) {
    throw new InvalidSelectorError(selector, 'it is no stream name with * or a last > in it');
  }
  const tokens = selector.split('.').map((token) => (token === '*' ? '[^.]+' : token === '>' ? '.+' : token));
  return new RegExp(`^${tokens.join('\\.')}$`);
}
