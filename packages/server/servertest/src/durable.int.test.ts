import { background, withTimeout } from '@samovar/context';
import { dataOf } from '@samovar/eda';
import { event } from '@samovar/message';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { describeOnLogs } from './logs.ts';
import { startServer } from './servertest.ts';

const TeaOrdered = event('kitchen.TeaOrdered', z.object({ table: z.string() }), {
  stream: ({ table }) => `kitchen.${table}`,
});

describeOnLogs((_name, freshLog) => {
  it('brings durable events to their stream in order, and none of a transaction that was rolled back', async () => {
    await using server = await startServer(freshLog().settings);
    const { bus, conn } = server;
    bus.addEventListener(TeaOrdered, (_, { table }) => {
      if (table === '13') throw new Error('no such table');
    });
    await bus.publish(background, TeaOrdered, { table: '1' });
    await expect(bus.publish(background, TeaOrdered, { table: '13' })).rejects.toThrow('no such table');
    await bus.inTransaction(background, async (ctx) => {
      await bus.publish(ctx, TeaOrdered, { table: '1' });
      await bus.publish(ctx, TeaOrdered, { table: '2' });
    });
    using scope = withTimeout(background, 20_000);
    const tables: string[] = [];
    for await (const stored of conn.read(scope.ctx, 'kitchen.>', { watch: true, limit: 3 })) {
      tables.push(dataOf(TeaOrdered, stored).table);
    }
    expect(tables.toSorted()).toEqual(['1', '1', '2']);
    expect(await conn.head(background, 'kitchen.13')).toBeNull();
  });
});
