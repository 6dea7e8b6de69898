import { background } from '@samovar/context';
import type { Event } from '@samovar/eda';
import { expect, it } from 'vitest';
import type { Closing } from '../backend.ts';
import type { StoredEvent } from '../event.ts';
import { Reader, ReaderLife } from '../reader.ts';
import { parseSelector } from '../selector.ts';
import type { LocalLog, Page, PageRequest } from './locallog.ts';
import { PageSource } from './pagesource.ts';
import { Wakes } from './wakes.ts';

const range = (count: number, from = 1) => Array.from({ length: count }, (_, i) => from + i);

/** Events 1, 2, 3 and so on, read forwards. */
class Numbers implements Pick<LocalLog, 'page' | 'tip' | 'wakes' | 'isErased'> {
  readonly wakes = new Wakes();
  readonly limits: number[] = [];
  count: number;

  constructor(count: number) {
    this.count = count;
  }

  page(_: unknown, { from, to, limit }: PageRequest): Page {
    this.limits.push(limit);
    const end = Math.min(to, this.count);
    const seqs = range(Math.max(0, Math.min(limit, end - from)), from + 1);
    const cursor = seqs.at(-1) ?? from;
    return { events: seqs.map((seq) => ({ seq }) as StoredEvent), cursor, more: cursor < end };
  }

  tip(): number {
    return this.count;
  }

  isErased(seq: number): boolean {
    return seq === 2;
  }
}

function reading(log: Numbers, { limit = Number.POSITIVE_INFINITY, watch = false, closing = open } = {}): Reader {
  const selector = parseSelector('tea');
  const life = new ReaderLife(background, closing);
  const wanted = { selector, after: undefined, backwards: false, limit, watch };
  return new Reader(life, new PageSource(log as unknown as LocalLog, life, wanted), wanted);
}

const open: Closing = { closed: false, onClose: () => () => {} };

async function all(events: AsyncIterable<Event>, most = Number.POSITIVE_INFINITY): Promise<number[]> {
  const seqs: number[] = [];
  for await (const each of events) if (seqs.push((each as StoredEvent).seq) === most) break;
  return seqs;
}

it('asks for pages that grow, and for no more than is wanted', async () => {
  const log = new Numbers(200);
  expect(await all(reading(log, { limit: 100 }))).toEqual([1, ...range(99, 3)]);
  expect(log.limits).toEqual([32, 69]);
});

it('passes over what is erased, and goes on behind what was read before it was left', async () => {
  const log = new Numbers(5);
  const reader = reading(log);
  expect(await all(reader.history(), 2)).toEqual([1, 3]);
  log.count = 7;
  expect(await all(reader.history())).toEqual([4, 5, 6, 7]);
  expect(await all(reader)).toEqual([]);
});

it('waits for news, from the end on', async () => {
  const log = new Numbers(1);
  const events = reading(log, { watch: true })[Symbol.asyncIterator]();
  expect(await events.next()).toMatchObject({ value: { seq: 1 } });
  const next = events.next();
  expect(log.wakes.waiting).toBe(true);
  log.count = 3;
  log.wakes.notify(new Set(['tea']));
  expect(await next).toMatchObject({ value: { seq: 3 } });
  expect(log.wakes.waiting).toBe(false);
});

it('asks for no page when the connection was closed after the last one', async () => {
  const closing = { ...open, closed: false };
  const log = new Numbers(200);
  const events = reading(log, { closing })[Symbol.asyncIterator]();
  for (const _ of range(31)) await events.next();
  const next = events.next();
  closing.closed = true;
  await expect(next).rejects.toMatchObject({ id: 'eda.closed' });
  expect(log.limits).toHaveLength(1);
});
