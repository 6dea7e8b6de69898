import { background as ctx, withCancel, withValue } from '@samovar/context';
import {
  Data,
  type EventId,
  handledEvent,
  InvalidArgumentError,
  InvalidStreamError,
  type NewEvent,
} from '@samovar/eda';
import { expect, it } from 'vitest';
import type { UnderTest } from '../contract.ts';
import { numbered, readAll } from './events.ts';

const big = 'x'.repeat(256);

const refused: readonly (readonly [string, NewEvent])[] = [
  ['type', { type: '' }],
  ['type', { type: big }],
  ['type', { type: 'a\nb' }],
  ['schema', { type: 't', schema: big }],
  ['aggregate', { type: 't', aggregate: '\u0000' }],
  ['time', { type: 't', time: new Date(Number.NaN) }],
  ['data', { type: 't', data: 'text' as unknown as Data }],
  ['data', { type: 't', data: Data.bytes(new Uint8Array(8 * 1024 * 1024 + 1)) }],
  ['meta', { type: 't', meta: { a: 1 as unknown as string } }],
  ['meta', { type: 't', meta: { a: 'x'.repeat(16 * 1024) } }],
];

export function addContract(underTest: UnderTest): void {
  it('keeps all that an event says', async () => {
    const { outbox, conn } = underTest();
    const time = new Date('1969-07-20T20:17:40Z');
    const payloads = [
      Data.nil,
      Data.json({ a: ['ä', 1] }),
      Data.json(null),
      Data.string('\u{1F375} two\nlines'),
      Data.bytes(Uint8Array.of(0, 255, 7)),
      Data.decode('proto', Uint8Array.of(8, 1)),
    ];
    for (const data of payloads) {
      await outbox.add(ctx, 'tea.1', { type: 't', data, time, schema: '2', aggregate: 'a', meta: { who: 'Ann' } });
    }
    await outbox.flushed(ctx);
    const events = await readAll(conn);
    expect(events.map(({ data }) => [data.type, Buffer.from(data.encode())])).toEqual(
      payloads.map((data) => [data.type, Buffer.from(data.encode())]),
    );
    for (const event of events) {
      expect(event).toMatchObject({ stream: 'tea.1', type: 't', time, schema: '2', aggregate: 'a', cause: null });
      expect(event.meta.outbox).toMatch(/^[0-9a-f-]{36}$/);
      expect(event.meta).toEqual({ who: 'Ann', outbox: event.meta.outbox, correlation: event.meta.outbox });
    }
  });

  it('tells the time of adding where none is set', async () => {
    const { outbox, conn } = underTest();
    const before = Date.now();
    await outbox.add(ctx, 's', numbered(1));
    const after = Date.now();
    await outbox.flushed(ctx);
    const [event] = await readAll(conn);
    expect(event?.time.getTime()).toBeGreaterThanOrEqual(before);
    expect(event?.time.getTime()).toBeLessThanOrEqual(after);
  });

  it('takes cause and correlation from the event that is being handled', async () => {
    const { outbox, conn } = underTest();
    const first = await conn.publish(ctx, 'a', { type: 't' });
    const second = await conn.publish(ctx, 'a', { type: 't', meta: { correlation: 'c' } });
    for (const event of await readAll(conn, 'a'))
      await outbox.add(withValue(ctx, handledEvent, event), 'b', numbered(1));
    await outbox.flushed(ctx);
    const events = await readAll(conn, 'b');
    expect(events.map(({ cause, meta }) => [cause, meta.correlation])).toEqual([
      [first, first],
      [second, 'c'],
    ]);
  });

  it('leaves cause and correlation that are set', async () => {
    const { outbox, conn } = underTest();
    const cause = await conn.publish(ctx, 'a', { type: 't' });
    await conn.publish(ctx, 'a', { type: 't', meta: { correlation: 'other' } });
    const handled = (await readAll(conn, 'a'))[1];
    const inner = await outbox.add(withValue(ctx, handledEvent, handled), 'b', {
      type: 't',
      cause,
      meta: { correlation: 'c' },
    });
    await outbox.add(inner, 'b', { type: 't', cause, meta: { correlation: 'd' } });
    await outbox.flushed(ctx);
    const [one, two] = await readAll(conn, 'b');
    expect(one).toMatchObject({ cause, meta: { correlation: 'c' } });
    expect(two).toMatchObject({ cause, meta: { correlation: 'd' } });
    expect(two?.meta).not.toHaveProperty('causeOutbox');
  });

  it('gives a context under which it is the cause', async () => {
    const { outbox, conn } = underTest();
    const inner = await outbox.add(ctx, 's', numbered(1));
    const innermost = await outbox.add(inner, 's', numbered(2));
    await outbox.add(innermost, 's', numbered(3));
    await outbox.flushed(ctx);
    const events = await readAll(conn);
    const [root, child, grandchild] = events.map(
      ({ meta, cause }): Record<string, string | null> => ({ ...meta, cause }),
    );
    const correlation = root?.outbox;
    expect(root).toEqual({ cause: null, outbox: correlation, correlation });
    expect(child).toMatchObject({ cause: null, causeOutbox: root?.outbox, correlation });
    expect(grandchild).toMatchObject({ cause: null, causeOutbox: child?.outbox, correlation });
  });

  it('takes the closer one of a row and a handled event for the cause', async () => {
    const { outbox, conn } = underTest();
    const id = await conn.publish(ctx, 'a', { type: 't', meta: { correlation: 'c' } });
    const [handled] = await readAll(conn, 'a');
    const inner = await outbox.add(withValue(ctx, handledEvent, handled), 'b', numbered(1));
    await outbox.add(inner, 'b', numbered(2));
    const other = await outbox.add(ctx, 'c', numbered(1));
    await outbox.add(withValue(other, handledEvent, handled), 'b', numbered(3));
    await outbox.flushed(ctx);
    const [one, two, three] = await readAll(conn, 'b');
    expect(one).toMatchObject({ cause: id, meta: { correlation: 'c' } });
    expect(two).toMatchObject({ cause: null, meta: { correlation: 'c', causeOutbox: one?.meta.outbox } });
    expect(three).toMatchObject({ cause: id, meta: { correlation: 'c' } });
    expect(three?.meta).not.toHaveProperty('causeOutbox');
  });

  it.each(refused)('refuses a %s that no log takes', async (field, event) => {
    const { outbox } = underTest();
    const attempt = outbox.add(ctx, 's', event);
    await expect(attempt).rejects.toThrow(InvalidArgumentError);
    await expect(attempt).rejects.toMatchObject({ details: { field } });
    expect(await outbox.getStatus(ctx, {})).toMatchObject({ waiting: 0, stuck: 0 });
  });

  it('refuses what is no stream, cannot be encoded, or is not wanted any more', async () => {
    const { outbox } = underTest();
    await expect(outbox.add(ctx, 'a b', numbered(1))).rejects.toThrow(InvalidStreamError);
    await expect(outbox.flushed(ctx, '')).rejects.toThrow(InvalidStreamError);
    const circle: Record<string, unknown> = {};
    circle.circle = circle;
    const circular = outbox.add(ctx, 's', { type: 't', data: Data.json(circle) });
    await expect(circular).rejects.toMatchObject({ id: 'eda.dataEncoding' });
    const { ctx: canceled, cancel } = withCancel(ctx);
    cancel();
    await expect(outbox.add(canceled, 's', numbered(1))).rejects.toMatchObject({ status: 'canceled' });
    await expect(outbox.flushed(canceled)).rejects.toMatchObject({ status: 'canceled' });
    const cause = '' as EventId;
    await expect(outbox.add(ctx, 's', { type: 't', cause })).rejects.toMatchObject({ details: { field: 'cause' } });
    expect(await outbox.getStatus(ctx, {})).toMatchObject({ waiting: 0, stuck: 0 });
  });
}
