import { background, withCancel } from '@samovar/context';
import { ClosedError, type Event } from '@samovar/eda';
import { expect, it, vi } from 'vitest';
import { Reader, ReaderLife, type ReaderSource } from './reader.ts';

const event = (seq: number) => ({ seq }) as unknown as Event;
const open = { closed: false, onClose: () => () => {} };

/** Positions from 1 on, one with each `fetch`, as far as they are there. */
class Counting implements ReaderSource {
  readonly #life: ReaderLife;
  #fetched = 0;
  #taken = 0;
  #wake = () => {};
  last: number;
  closed = 0;

  constructor(life: ReaderLife, last: number) {
    this.#life = life;
    this.last = last;
  }

  take(to: number): Event | undefined {
    return this.#taken < Math.min(this.#fetched, to) ? event(++this.#taken) : undefined;
  }

  async fetch(to: number, wait: boolean): Promise<boolean> {
    if (this.#fetched >= to) return false;
    if (this.#fetched < this.last) this.#fetched++;
    else if (!wait) return false;
    else {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      const forget = this.#life.onEnd(resolve);
      await promise.finally(forget);
    }
    return true;
  }

  end(): number {
    return this.last;
  }

  wake(): void {
    this.#wake();
  }

  close(): void {
    this.closed++;
  }
}

function reading(last: number, { limit = 9, watch = false, ctx = background } = {}) {
  const life = new ReaderLife(ctx, open);
  const source = new Counting(life, last);
  return { source, reader: new Reader(life, source, { limit, watch }) };
}

async function all(events: AsyncIterable<Event>): Promise<number[]> {
  const seqs: number[] = [];
  for await (const each of events) seqs.push((each as Event & { readonly seq: number }).seq);
  return seqs;
}

it('reads what is there now, then goes on behind it, up to one limit', async () => {
  const { source, reader } = reading(2, { limit: 4 });
  expect(await all(reader.history())).toEqual([1, 2]);
  source.last = 3;
  for await (const _ of reader.history()) break;
  expect(source.closed).toBe(0);
  source.last = 9;
  expect(await all(reader)).toEqual([4]);
  expect(source.closed).toBeGreaterThan(0);
  expect(() => reader[Symbol.asyncIterator]()).toThrow(TypeError);
});

it('answers calls in their order, also those that wait when it is stopped', async () => {
  const events = reading(2, { watch: true }).reader[Symbol.asyncIterator]();
  const answers = [events.next(), events.next(), events.next(), events.next()];
  expect(await Promise.all(answers.slice(0, 2))).toMatchObject([{ value: { seq: 1 } }, { value: { seq: 2 } }]);
  await events.return?.();
  expect(await Promise.all(answers.slice(2))).toEqual([{ done: true }, { done: true }]);
  expect(await events.next()).toEqual({ done: true });
});

it('ends with its context, while it waits too', async () => {
  using scope = withCancel(background);
  const events = reading(1, { watch: true, ctx: scope.ctx }).reader[Symbol.asyncIterator]();
  await events.next();
  const waiting = events.next();
  scope.cancel();
  await expect(waiting).rejects.toMatchObject({ id: 'context.canceled' });
  expect(await events.next()).toEqual({ done: true });
});

it('is told of an end that was before it asked', async () => {
  const closed = new ReaderLife(background, { ...open, closed: true });
  expect(() => closed.check()).toThrow(ClosedError);
  using scope = withCancel(background);
  scope.cancel();
  for (const life of [closed, new ReaderLife(scope.ctx, open)]) {
    const then = vi.fn();
    life.onEnd(then);
    await vi.waitFor(() => expect(then).toHaveBeenCalled());
  }
});
