import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  background,
  CanceledError,
  type Context,
  DeadlineExceededError,
  withCancel,
  withTimeout,
} from '@samovar/context';
import { type Conn, Data, type Event, type NewEvent, type ReadOptions } from '@samovar/eda';
import { connect } from '@samovar/edaimpl';
import { type Fact, type Folding, fact, on, UnreadableEventError } from '@samovar/journal';
import { journalContract } from '@samovar/journaltest/contract';
import { event } from '@samovar/message';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { EdaJournal, edaJournals } from './journalimpl.ts';

const CupPoured = event('tea.CupPoured', z.object({ guest: z.string() }), { version: 2, upcast: { 1: (old) => old } });
const PotBroken = event('tea.PotBroken', z.object({}));

/** A pot: who has got a cup of it. */
interface Pot {
  readonly cups: string[];
}

const pots: Folding<Pot> = {
  initial: () => ({ cups: [] }),
  folds: [
    on(CupPoured, ({ cups }: Pot, { guest }) => {
      cups.push(guest);
    }),
    on(PotBroken, ({ cups }: Pot) => {
      cups.push('half of it');
      throw new Error('a fold that fails');
    }),
  ],
};

const ctx = background;
const stream = 'pots.1';
const pour = (guest: string): Fact => fact(CupPoured, { guest });
const poured = (guest: string): NewEvent => ({ type: CupPoured.name, schema: '2', data: Data.json({ guest }) });

describe.each(['memory', 'sqlite'])('on %s', (kind) => {
  let folder: string;
  let here: Conn;
  let there: Conn;
  let journal: EdaJournal<Pot>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'samovar-journal-'));
    const url = kind === 'memory' ? `memory:${folder}` : `sqlite:${join(folder, 'events.db')}`;
    [here, there] = [await connect(url, { logger: null }), await connect(url, { logger: null })];
  });
  beforeEach(async () => {
    for await (const { stream } of here.streams(ctx)) await here.erase(ctx, stream);
    journal = new EdaJournal(here, pots);
  });
  afterAll(async () => {
    await Promise.all([here.close(), there.close()]);
    await rm(folder, { recursive: true });
  });

  journalContract('edaJournals', async () => ({
    journals: edaJournals(here),
    others: edaJournals(there),
    [Symbol.asyncDispose]: async () => {},
  }));

  it('stores facts as their definitions say', async () => {
    const { head } = await journal.change(ctx, stream, () => [pour('Ann'), pour('Bob')]);
    expect(await there.head(ctx, stream)).toBe(head);
    const events = [];
    for await (const { type, schema, data } of there.read(ctx, stream)) events.push([type, schema, data.json()]);
    expect(events).toEqual([
      ['tea.CupPoured', '2', { guest: 'Ann' }],
      ['tea.CupPoured', '2', { guest: 'Bob' }],
    ]);
  });

  it.each([
    ['of no version', { type: CupPoured.name, data: Data.json({ guest: 'Eve' }) }],
    ['of another kind', { type: CupPoured.name, schema: '2', data: Data.bytes(Buffer.from('{"guest":"Eve"}')) }],
    ['without data', { type: CupPoured.name, schema: '2' }],
  ])('refuses an event %s that somebody else has published', async (_, bad: NewEvent) => {
    await there.publish(ctx, stream, poured('Ann'));
    const { state } = await journal.load(ctx, stream);
    await there.publish(ctx, stream, poured('Bob'));
    await there.publish(ctx, stream, bad);
    for (let i = 0; i < 2; i++) await expect(journal.load(ctx, stream)).rejects.toThrow(UnreadableEventError);
    expect(state.cups).toEqual(['Ann']);
  });

  it('passes over events of other types, whatever is in them', async () => {
    await there.publish(ctx, stream, { type: 'tea.PotPainted', data: Data.string('blue') });
    await there.publish(ctx, stream, poured('Ann'));
    const head = await there.publish(ctx, stream, { type: 'tea.PotPainted', schema: '9' });
    expect(await journal.load(ctx, stream)).toEqual({ state: { cups: ['Ann'] }, head });
  });

  it('keeps nothing of a fold that fails', async () => {
    await there.publish(ctx, stream, poured('Ann'));
    const { state } = await journal.load(ctx, stream);
    await there.publish(ctx, stream, { type: PotBroken.name, schema: '1', data: Data.json({}) });
    for (let i = 0; i < 2; i++) await expect(journal.load(ctx, stream)).rejects.toThrow('a fold that fails');
    expect(state.cups).toEqual(['Ann', 'half of it']);
  });

  it('has one state for all who ask at once, each event in it once', async () => {
    for (const count of [2_000, 4_000]) {
      await there.publishAll(
        ctx,
        stream,
        Array.from({ length: 2_000 }, (_, i) => poured(`${i}`)),
      );
      const loaded = await Promise.all(Array.from({ length: 20 }, () => journal.load(ctx, stream)));
      expect(new Set(loaded.map(({ state }) => state)).size).toBe(1);
      expect(loaded[0]?.state.cups).toHaveLength(count);
    }
  });

  it('shows a commit as a whole, whoever looks while it is read', async () => {
    const seen: number[] = [];
    let look = () => {};
    const read = new EdaJournal(
      betweenEvents(here, async () => look()),
      pots,
    );
    await there.publish(ctx, stream, poured('Ann'));
    const { state } = await read.load(ctx, stream);
    look = () => seen.push(state.cups.length);
    await there.publishAll(ctx, stream, [poured('Bob'), poured('Bob'), poured('Bob')]);
    await Promise.all([read.load(ctx, stream), read.load(ctx, stream)]);
    expect(seen.length).toBeGreaterThanOrEqual(8);
    expect(new Set([...seen, state.cups.length])).toEqual(new Set([1, 4]));
  });

  it.each([0, 1])('notices that a stream is erased and begun anew in the midst of reading, %i known', async (known) => {
    let events = Number.NaN;
    const interrupted = betweenEvents(here, async () => {
      if (++events !== 2) return;
      await there.erase(ctx, stream);
      await there.publishAll(ctx, stream, [poured('Bob'), poured('Bob'), poured('Bob')]);
    });
    const read = new EdaJournal(interrupted, pots);
    for (let i = 0; i < known; i++) await there.publish(ctx, stream, poured('Eve'));
    await read.load(ctx, stream);
    await there.publishAll(ctx, stream, [poured('Ann'), poured('Ann')]);
    events = 0;
    expect((await read.load(ctx, stream)).state.cups).toEqual(['Bob', 'Bob', 'Bob']);
  });

  it('goes on deciding until its context is done, however long others are faster', async () => {
    using scope = withCancel(ctx);
    let decisions = 0;
    const rivals: Promise<unknown>[] = [];
    const attempt = journal.change(scope.ctx, stream, () => {
      rivals.push(there.publish(ctx, stream, poured('Eve')));
      if (++decisions === 4) setImmediate(() => scope.cancel());
      return [pour('Ann')];
    });
    await expect(attempt).rejects.toThrow(CanceledError);
    await Promise.all(rivals);
    expect(decisions).toBeGreaterThanOrEqual(4);
    expect(new Set((await journal.load(ctx, stream)).state.cups)).toEqual(new Set(['Eve']));
  });

  it('waits for another’s turn no longer than its context lets it', async () => {
    const held = Promise.withResolvers<void>();
    const slow = new EdaJournal(delayed(here, held.promise), pots);
    const first = slow.change(ctx, stream, () => [pour('Ann')]);
    using scope = withTimeout(ctx, 1);
    await expect(slow.change(scope.ctx, stream, () => [pour('Bob')])).rejects.toThrow(DeadlineExceededError);
    held.resolve();
    await first;
    expect((await slow.change(ctx, stream, () => [pour('Eve')])).state.cups).toEqual(['Ann', 'Eve']);
  });

  it('lets the writers of one process take turns, so that none decides in vain', async () => {
    let decisions = 0;
    const change = (_: unknown, i: number) =>
      journal.change(ctx, stream, () => {
        decisions++;
        return [pour(`${i}`)];
      });
    await Promise.all(Array.from({ length: 50 }, change));
    expect(decisions).toBe(50);
  });

  it('keeps the entities used last, and makes others anew', async () => {
    const reads: string[] = [];
    const small = new EdaJournal(watched(here, reads), pots, { kept: 1 });
    await there.publish(ctx, 'pots.1', poured('Ann'));
    await there.publish(ctx, 'pots.2', poured('Bob'));
    for (const each of ['pots.1', 'pots.1', 'pots.2', 'pots.1']) await small.load(ctx, each);
    expect(reads).toEqual(['pots.1', 'pots.2', 'pots.1']);
    await small.change(ctx, 'pots.2', () => [pour('Eve')]);
    expect((await small.load(ctx, 'pots.1')).state.cups).toEqual(['Ann']);
    expect((await small.load(ctx, 'pots.2')).state.cups).toEqual(['Bob', 'Eve']);
  });
});

/** `conn` with some of its methods in other ways. */
function conn(inner: Conn, changes: Partial<Conn>): Conn {
  return new Proxy(inner, {
    get: (target, name) => {
      const value: unknown = changes[name as keyof Conn] ?? target[name as keyof Conn];
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

function delayed(inner: Conn, until: Promise<void>): Conn {
  return conn(inner, {
    head: async (ctx: Context, stream: string) => {
      await until;
      return await inner.head(ctx, stream);
    },
  });
}

function watched(inner: Conn, reads: string[]): Conn {
  return conn(inner, {
    read: (ctx: Context, stream: string, options?: ReadOptions) => {
      reads.push(stream);
      return inner.read(ctx, stream, options);
    },
  });
}

/** Reads one event at a time, and does something before each. */
function betweenEvents(inner: Conn, act: () => Promise<void>): Conn {
  async function* events(ctx: Context, stream: string, { after }: ReadOptions = {}): AsyncGenerator<Event> {
    await act();
    for await (const event of inner.read(ctx, stream, { limit: 1, ...(after && { after }) })) {
      yield event;
      yield* events(ctx, stream, { after: event.id });
    }
  }
  return conn(inner, {
    read: (ctx: Context, stream: string, options?: ReadOptions) =>
      Object.assign(events(ctx, stream, options), { history: () => events(ctx, stream, options) }),
  });
}
