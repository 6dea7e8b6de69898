import { background } from '@samovar/context';
import type { Conn, EventId } from '@samovar/eda';
import { expect, it } from 'vitest';
import type { Backend } from './backend.ts';
import { collect, fill, idsOf, numbersOf, pour, range, read, refusal, refusalOf } from './moves.ts';
import { connected, TestLog } from './testlog.ts';

const conflict = refusal('eda.headConflict');

export function concurrencyCases(backend: Backend): void {
  racing(backend);
  bystanding(backend);
  losing(backend);
  repeating(backend);
  racingKeys(backend);
}

function racing(backend: Backend): void {
  it('lets exactly one of 100 racing writers win each head, and tells the others what it is now', async () => {
    const conns = await (await TestLog.open(backend)).connects(4);
    const winners: EventId[] = [];
    for (const round of range(10)) {
      const expectedHead = winners.at(-1) ?? null;
      const results = await Promise.allSettled(
        range(100).map((n) => (conns[n % 4] as Conn).publish(background, 'cups.1', pour(round), { expectedHead })),
      );
      const won = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
      expect(won).toHaveLength(1);
      winners.push(won[0] as EventId);
      const lost = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
      const details = { stream: 'cups.1', stored: won[0], expected: expectedHead };
      expect(lost).toEqual(
        Array(99).fill(expect.objectContaining({ id: 'eda.headConflict', status: 'aborted', details })),
      );
    }
    expect(idsOf(await read(conns[0] as Conn, 'cups.1'))).toEqual(winners);
  });

  it('loses no update of 20 writers that load, decide and append until they win', async () => {
    const conns = await (await TestLog.open(backend)).connects(2);
    const increment = async (conn: Conn): Promise<void> => {
      // Each round has a winner, so nobody loses more than 19 times; a log that is wrong is not to keep the test forever.
      for (let attempt = 0; attempt < 100; attempt++) {
        const [last] = await read(conn, 'cups.1', { backwards: true, limit: 1 });
        const count = last === undefined ? 0 : (numbersOf([last])[0] as number);
        const options = { expectedHead: last?.id ?? null };
        const error = await conn.publish(background, 'cups.1', pour(count + 1), options).then(
          () => undefined,
          (refused: unknown) => refused,
        );
        if (error === undefined) return;
        expect(error).toEqual(conflict);
      }
      throw new Error('this writer never wins');
    };
    await Promise.all(range(20).map((n) => increment(conns[n % 2] as Conn)));
    expect(numbersOf(await read(conns[0] as Conn, 'cups.1'))).toEqual(range(20, 1));
  });
}

function bystanding(backend: Backend): void {
  it('lets writers of other streams through that publish together with losers', async () => {
    const conn = await connected(backend);
    const [first] = await fill(conn, 'cups.0', 2);
    const results = await Promise.allSettled(
      range(100).map((n) =>
        n % 2 === 0
          ? conn.publish(background, 'cups.0', pour(n), { expectedHead: first as EventId })
          : conn.publish(background, `cups.${n}`, pour(n), { expectedHead: null }),
      ),
    );
    expect(results.map(({ status }) => status)).toEqual(
      range(100).map((n) => (n % 2 === 0 ? 'rejected' : 'fulfilled')),
    );
    expect(await collect(conn.streams(background))).toHaveLength(51);
  });
}

function losing(backend: Backend): void {
  it('keeps no trace of a refused commit, and takes the next one at the head as it is', async () => {
    const conn = await connected(backend);
    const [first, head] = (await fill(conn, 'cups.1', 2)) as [EventId, EventId];
    for (const expectedHead of [first, null]) {
      const options = { expectedHead, key: 'k' };
      expect(await refusalOf(() => conn.publishAll(background, 'cups.1', [pour(8), pour(9)], options))).toEqual(
        conflict,
      );
    }
    expect(await conn.head(background, 'cups.1')).toBe(head);
    expect(await collect(conn.streams(background))).toEqual([{ stream: 'cups.1', head, events: 2 }]);
    const next = await conn.publish(background, 'cups.1', pour(2), { expectedHead: head });
    expect(idsOf(await read(conn, '>'))).toEqual([first, head, next]);
    expect(await conn.head(background, 'cups.1')).toBe(next);
  });

  it('refuses a stream that must be empty and is not, and one that must not be and is', async () => {
    const conn = await connected(backend);
    const id = await conn.publish(background, 'cups.1', pour(1), { expectedHead: null });
    expect(await refusalOf(() => conn.publish(background, 'cups.1', pour(2), { expectedHead: null }))).toEqual(
      conflict,
    );
    expect(await refusalOf(() => conn.publish(background, 'cups.2', pour(2), { expectedHead: id }))).toEqual(conflict);
    expect(await conn.head(background, 'cups.2')).toBe(null);
  });

  it('takes the last event of a commit as the head, and none of those before it', async () => {
    const conn = await connected(backend);
    const [first, second, last] = (await fill(conn, 'cups.1', 3)) as [EventId, EventId, EventId];
    for (const expectedHead of [first, second]) {
      expect(await refusalOf(() => conn.publish(background, 'cups.1', pour(3), { expectedHead }))).toEqual(conflict);
    }
    const next = await conn.publish(background, 'cups.1', pour(3), { expectedHead: last });
    expect(await conn.head(background, 'cups.1')).toBe(next);
  });
}

function repeating(backend: Backend): void {
  it('stores nothing when a key is repeated, and answers with the ids given first', async () => {
    const log = await TestLog.open(backend);
    const [conn, other] = (await log.connects(2)) as [Conn, Conn];
    const id = await conn.publish(background, 'cups.1', pour(1), { key: 'one' });
    const ids = await conn.publishAll(background, 'cups.1', range(3, 2).map(pour), { key: 'all' });
    expect(await other.publish(background, 'cups.1', pour(1), { key: 'one' })).toBe(id);
    expect(await other.publishAll(background, 'cups.1', range(3, 2).map(pour), { key: 'all' })).toEqual(ids);
    expect(numbersOf(await read(conn, '>'))).toEqual(range(4, 1));
  });

  it('tells keys apart to the last character, and by stream', async () => {
    const conn = await connected(backend);
    const keys = ['k', 'K', 'k ', ' k', 'é', 'e\u0301', 'k'.repeat(254), 'k'.repeat(255)];
    const streams = ['cups.1', 'cups.2', 'Cups.1'];
    const ids = new Set<EventId>();
    for (const stream of streams)
      for (const key of keys) ids.add(await conn.publish(background, stream, pour(1), { key }));
    expect(ids.size).toBe(24);
    for (const stream of streams) {
      for (const key of keys) expect(ids.has(await conn.publish(background, stream, pour(1), { key }))).toBe(true);
    }
    expect(await read(conn, '>')).toHaveLength(24);
  });

  it('answers a repeated key before it looks at the expected head', async () => {
    const conn = await connected(backend);
    const id = await conn.publish(background, 'cups.1', pour(1), { key: 'k', expectedHead: null });
    await fill(conn, 'cups.1', 2);
    expect(await conn.publish(background, 'cups.1', pour(1), { key: 'k', expectedHead: null })).toBe(id);
    expect(await read(conn, '>')).toHaveLength(3);
  });

  it('does not use up the key of a publication that conflicts', async () => {
    const conn = await connected(backend);
    const head = await conn.publish(background, 'cups.1', pour(1));
    const early = { key: 'k', expectedHead: null };
    expect(await refusalOf(() => conn.publish(background, 'cups.1', pour(2), early))).toEqual(conflict);
    const id = await conn.publish(background, 'cups.1', pour(2), { key: 'k', expectedHead: head });
    expect(idsOf(await read(conn, 'cups.1'))).toEqual([head, id]);
    expect(await conn.publish(background, 'cups.1', pour(2), early)).toBe(id);
  });
}

function racingKeys(backend: Backend): void {
  it('stores once what 100 publish with one key at the same time, and answers all alike', async () => {
    const conns = await (await TestLog.open(backend)).connects(4);
    const ids = await Promise.all(
      range(100).map((n) => (conns[n % 4] as Conn).publish(background, 'cups.1', pour(1), { key: 'k' })),
    );
    expect(new Set(ids).size).toBe(1);
    expect(idsOf(await read(conns[0] as Conn, '>'))).toEqual([ids[0]]);
  });

  it('stores once what 100 publish with one key and the same expected head, and refuses none', async () => {
    const conns = await (await TestLog.open(backend)).connects(4);
    const options = { key: 'k', expectedHead: null };
    const batch = range(3).map(pour);
    const ids = await Promise.all(
      range(100).map((n) => (conns[n % 4] as Conn).publishAll(background, 'cups.1', batch, options)),
    );
    expect(new Set(ids.flat()).size).toBe(3);
    expect(idsOf(await read(conns[0] as Conn, '>'))).toEqual(ids[0]);
  });

  it('stores each of many keys once, published twice at the same time', async () => {
    const conn = await connected(backend);
    const ids = await Promise.all(
      range(400).map((n) => conn.publish(background, `cups.${n % 5}`, pour(n % 200), { key: `k${n % 200}` })),
    );
    expect(ids.slice(200)).toEqual(ids.slice(0, 200));
    const stored = await read(conn, '>');
    expect(stored).toHaveLength(200);
    expect(new Set(numbersOf(stored)).size).toBe(200);
  });
}
