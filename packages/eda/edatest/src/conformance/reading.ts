import { background } from '@samovar/context';
import type { Conn, EventId } from '@samovar/eda';
import { expect, it } from 'vitest';
import type { Backend } from './backend.ts';
import { collect, fill, idsOf, iterate, numbersOf, pour, range, read, scatter, take } from './moves.ts';
import { connected, TestLog } from './testlog.ts';

export function readingCases(backend: Backend): void {
  ranges(backend);
  longReads(backend);
  histories(backend);
  concurrency(backend);
  headsAndStreams(backend);
}

function ranges(backend: Backend): void {
  it('gives a stream in order from its beginning, and nothing of others', async () => {
    const conn = await connected(backend);
    for (const n of range(5)) {
      await conn.publish(background, 'cups.1', pour(n));
      await fill(conn, 'cups.2', 2, 10);
    }
    expect(numbersOf(await read(conn, 'cups.1'))).toEqual(range(5));
    expect(await read(conn, 'cups.3')).toEqual([]);
  });

  it('gives only what comes after an event, of this stream or of another, also amid a commit', async () => {
    const conn = await connected(backend);
    const ids = await fill(conn, 'cups.1', 3);
    const between = await conn.publish(background, 'pots', pour(9));
    ids.push(...(await fill(conn, 'cups.1', 3, 3)));
    for (const n of range(6)) {
      expect(numbersOf(await read(conn, 'cups.1', { after: ids[n] as EventId }))).toEqual(range(5 - n, n + 1));
    }
    expect(numbersOf(await read(conn, 'cups.1', { after: between }))).toEqual([3, 4, 5]);
    expect(numbersOf(await read(conn, '>', { after: ids[2] as EventId }))).toEqual([9, 3, 4, 5]);
  });

  it('gives at most as many as the limit says', async () => {
    const conn = await connected(backend);
    const ids = await fill(conn, 'cups.1', 10);
    for (const limit of [0, 1, 9, 10, 11]) {
      expect(numbersOf(await read(conn, 'cups.1', { limit }))).toEqual(range(Math.min(limit, 10)));
    }
    expect(numbersOf(await read(conn, 'cups.1', { limit: 2, after: ids[3] as EventId }))).toEqual([4, 5]);
  });

  it('reads backwards from the end, or from before an event', async () => {
    const conn = await connected(backend);
    const ids = await fill(conn, 'cups.1', 6);
    const later = await conn.publish(background, 'pots', pour(9));
    const backwards = true;
    expect(numbersOf(await read(conn, 'cups.1', { backwards }))).toEqual([5, 4, 3, 2, 1, 0]);
    expect(numbersOf(await read(conn, '>', { backwards, limit: 2 }))).toEqual([9, 5]);
    expect(numbersOf(await read(conn, 'cups.1', { backwards, after: ids[2] as EventId }))).toEqual([1, 0]);
    expect(numbersOf(await read(conn, 'cups.1', { backwards, after: later, limit: 1 }))).toEqual([5]);
    expect(await read(conn, 'cups.1', { backwards, after: ids[0] as EventId })).toEqual([]);
  });
}

function longReads(backend: Backend): void {
  it('gives thousands of events without a gap, forwards and backwards', async () => {
    const conn = await connected(backend);
    await conn.publishAll(background, 'cups.1', range(2048).map(pour));
    await scatter([conn], ['cups.2'], 500, 5000);
    await fill(conn, 'cups.1', 2000, 2048);
    const all = await read(conn, '>');
    expect(all).toHaveLength(4548);
    expect(idsOf(all)).toEqual(idsOf(all).toSorted());
    expect(idsOf(await read(conn, '>', { backwards: true }))).toEqual(idsOf(all).reverse());
    expect(numbersOf(await read(conn, 'cups.1'))).toEqual(range(4048));
    expect(numbersOf(await read(conn, 'cups.1', { backwards: true }))).toEqual(range(4048).reverse());
    expect(numbersOf(await read(conn, 'cups.1', { limit: 3000 }))).toEqual(range(3000));
  });

  it('finds a stream of few events among thousands of others', async () => {
    const conn = await connected(backend);
    await conn.publish(background, 'pots.1', pour(1));
    await fill(conn, 'cups.1', 30_000);
    await conn.publish(background, 'pots.2', pour(2));
    await fill(conn, 'cups.1', 2000);
    for (const selector of ['pots.*', '*.2', 'pots.2']) {
      const found = numbersOf(await read(conn, selector));
      expect(found).toEqual(selector === 'pots.*' ? [1, 2] : [2]);
      expect(numbersOf(await read(conn, selector, { backwards: true }))).toEqual(found.reverse());
    }
  });
}

function histories(backend: Backend): void {
  it('ends the history where the stream ends now, and goes on from there when iterated', async () => {
    const conn = await connected(backend);
    await fill(conn, 'cups.1', 100);
    const events = conn.read(background, 'cups.1', { watch: true });
    expect(numbersOf(await collect(events.history()))).toEqual(range(100));
    await fill(conn, 'cups.1', 2, 100);
    const rest = iterate(events);
    expect(numbersOf(await take(rest, 2))).toEqual([100, 101]);
    const next = take(rest, 1);
    await fill(conn, 'cups.1', 1, 102);
    expect(numbersOf(await next)).toEqual([102]);
    await rest.return?.();
  });

  it('goes on behind the last event taken from a history that was left early', async () => {
    const conn = await connected(backend);
    await fill(conn, 'cups.1', 100);
    const events = conn.read(background, 'cups.1');
    for await (const event of events.history()) if (numbersOf([event])[0] === 40) break;
    expect(numbersOf(await collect(events))).toEqual(range(59, 41));
  });

  it('counts history and rest together towards the limit', async () => {
    const conn = await connected(backend);
    await fill(conn, 'cups.1', 3);
    const events = conn.read(background, 'cups.1', { watch: true, limit: 4 });
    expect(await collect(events.history())).toHaveLength(3);
    await fill(conn, 'cups.1', 3, 3);
    expect(numbersOf(await collect(events))).toEqual([3]);
  });

  it('gives an empty history of an empty stream', async () => {
    const conn = await connected(backend);
    expect(await collect(conn.read(background, 'cups.1', { watch: true }).history())).toEqual([]);
  });
}

function concurrency(backend: Backend): void {
  it('skips nothing that is still being published when a reader goes on after the last event it saw', async () => {
    const log = await TestLog.open(backend);
    const [reader, ...writers] = (await log.connects(5)) as [Conn, ...Conn[]];
    let writing = true;
    const streams = range(10).map((n) => `cups.${n}`);
    const rounds = async () => {
      for (const round of range(20)) await scatter(writers, streams, 100, round * 100);
    };
    const written = rounds().finally(() => {
      writing = false;
    });
    const seen: EventId[] = [];
    for (let last = false; !last; ) {
      last = !writing;
      const after = seen.at(-1);
      seen.push(...idsOf(await read(reader, 'cups.*', after === undefined ? {} : { after })));
      await new Promise(setImmediate);
    }
    await written;
    expect(seen).toHaveLength(2000);
    expect(seen).toEqual(idsOf(await read(reader, '>')));
  });
}

function headsAndStreams(backend: Backend): void {
  it('knows the last event of each stream', async () => {
    const conn = await connected(backend);
    expect(await conn.head(background, 'cups.1')).toBe(null);
    const one = await conn.publish(background, 'cups.1', pour(1));
    const many = await fill(conn, 'cups.2', 3);
    expect(await conn.head(background, 'cups.1')).toBe(one);
    expect(await conn.head(background, 'cups.2')).toBe(many[2]);
    expect(await conn.head(background, 'cups')).toBe(null);
    expect(await conn.head(background, 'Cups.1')).toBe(null);
  });

  it('lists the streams in the order of their names, with their heads and how much they hold', async () => {
    const conn = await connected(backend);
    expect(await collect(conn.streams(background))).toEqual([]);
    const names = ['b', 'a.b', 'a', 'B', 'a-b', 'a_b', 'a~', 'a.a', 'a0', '10', '9'];
    const heads = new Map<string, EventId | undefined>();
    for (const [n, name] of names.entries()) heads.set(name, (await fill(conn, name, n + 1)).at(-1));
    const expected = names
      .toSorted()
      .map((stream) => ({ stream, head: heads.get(stream), events: names.indexOf(stream) + 1 }));
    expect(await collect(conn.streams(background))).toEqual(expected);
    expect(await collect(conn.streams(background, 'a.*'))).toEqual(
      expected.filter(({ stream }) => stream.startsWith('a.')),
    );
  });

  it('lists more than a thousand streams', async () => {
    const conn = await connected(backend);
    const names = range(1200).map((n) => `cups.${n}`);
    await scatter([conn], names, 1200);
    const streams = await collect(conn.streams(background));
    expect(streams.map(({ stream }) => stream)).toEqual(names.toSorted());
    expect(streams.every(({ events }) => events === 1)).toBe(true);
  });
}
