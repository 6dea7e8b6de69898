import { background } from '@samovar/context';
import { expect, it } from 'vitest';
import type { Backend } from './backend.ts';
import { collect, idsOf, pour, read, Seen } from './moves.ts';
import { connected } from './testlog.ts';

/** Every stream of the log, and for some selectors which of them it is to match. */
const streams = [
  'a',
  'b',
  'a.b',
  'a.c',
  'a.b.c',
  'a.b.c.d',
  'b.b',
  'ab',
  'ab.b',
  'a-b.c',
  'a_b.c',
  'axb.c',
  'A.b',
  'a.B',
  'a~2E',
];
const matches: readonly (readonly [selector: string, ...streams: string[]])[] = [
  ['a.b', 'a.b'],
  ['a', 'a'],
  ['a_b.c', 'a_b.c'],
  ['a~2E', 'a~2E'],
  ['nothing'],
  ['*', 'a', 'b', 'ab', 'a~2E'],
  ['a.*', 'a.b', 'a.c', 'a.B'],
  ['*.b', 'a.b', 'b.b', 'ab.b', 'A.b'],
  ['*.*.c', 'a.b.c'],
  ['a.*.c', 'a.b.c'],
  ['a.*.*.d', 'a.b.c.d'],
  ['a.>', 'a.b', 'a.c', 'a.b.c', 'a.b.c.d', 'a.B'],
  ['a.b.>', 'a.b.c', 'a.b.c.d'],
  ['a_b.*', 'a_b.c'],
  ['*.>', 'a.b', 'a.c', 'a.b.c', 'a.b.c.d', 'b.b', 'ab.b', 'a-b.c', 'a_b.c', 'axb.c', 'A.b', 'a.B'],
  ['*.b.>', 'a.b.c', 'a.b.c.d'],
  ['nothing.>'],
  ['>', ...streams],
];

export function selectingCases(backend: Backend): void {
  it.each(matches.map(([selector, ...names]) => ({ selector, names })))(
    'gives $selector the same streams whether it is read, watched, listed or subscribed to',
    async ({ selector, names }) => {
      const conn = await connected(backend);
      const [old, fresh] = [new Seen(), new Seen()];
      for (const name of streams) await conn.publish(background, name, pour(1));
      await conn.subscribe(selector, old.handle, { name: 'old', backfill: true });
      await conn.subscribe(selector, fresh.handle, { name: 'fresh' });
      const watching = conn.read(background, selector, { watch: true, limit: names.length * 2 });
      const watched = collect(watching);
      for (const name of streams) await conn.publish(background, name, pour(2));
      await old.reaches(names.length * 2);
      await fresh.reaches(names.length);
      const inOrder = streams.filter((name) => names.includes(name));
      expect((await watched).map(({ stream }) => stream)).toEqual([...inOrder, ...inOrder]);
      expect((await read(conn, selector)).map(({ stream }) => stream)).toEqual([...inOrder, ...inOrder]);
      expect(old.events.map(({ stream }) => stream)).toEqual([...inOrder, ...inOrder]);
      expect(fresh.events.map(({ stream }) => stream)).toEqual(inOrder);
      expect((await collect(conn.streams(background, selector))).map(({ stream }) => stream)).toEqual(names.toSorted());
    },
  );

  it('interleaves the streams of a pattern in log order', async () => {
    const conn = await connected(backend);
    const order = ['cups.2', 'cups.1', 'pots.1', 'cups.2', 'cups.3', 'cups.1', 'pots.1', 'cups.1'];
    const ids = [];
    for (const [n, name] of order.entries()) ids.push(await conn.publish(background, name, pour(n)));
    expect(idsOf(await read(conn, 'cups.*'))).toEqual(ids.filter((_, n) => order[n]?.startsWith('cups')));
    expect(idsOf(await read(conn, '*.1'))).toEqual(ids.filter((_, n) => order[n]?.endsWith('1')));
    expect(idsOf(await read(conn, '>', { backwards: true }))).toEqual(ids.toReversed());
  });
}
