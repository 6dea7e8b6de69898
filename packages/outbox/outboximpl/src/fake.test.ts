import { background as ctx } from '@samovar/context';
import { connect } from '@samovar/edaimpl';
import { FakeOutbox } from '@samovar/outboxtest';
import { outboxContract } from '@samovar/outboxtest/contract';
import { expect, it } from 'vitest';

outboxContract('FakeOutbox', async () => {
  const conn = await connect('memory:');
  const outbox = new FakeOutbox(conn);
  return {
    outbox,
    conn,
    refuse: (stream, fault) => outbox.refuse(stream, fault),
    [Symbol.asyncDispose]: () => conn.close(),
  };
});

it('shows what was added, and needs no log for that', async () => {
  const outbox = new FakeOutbox();
  await outbox.add(ctx, 's', { type: 't', meta: { a: 'b' } });
  await outbox.flushed(ctx);
  expect(outbox.added).toMatchObject([
    { stream: 's', event: { type: 't', meta: { a: 'b', outbox: outbox.added[0]?.id } } },
  ]);
});
