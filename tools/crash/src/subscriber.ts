import { writeSync } from 'node:fs';
import { background as ctx } from '@samovar/context';
import { connected, delivery, type Handled, selector } from './load.ts';

/** Says what it handles, and fails now and then, until its standard input ends; then it handles all there is. */
const [url = ''] = process.argv.slice(2);

const failures = 0.01;

const conn = await connected(url);
const subscription = await conn.subscribe(
  selector,
  (_ctx, { id, data, deliveries }) => {
    if (deliveries === 1 && Math.random() < failures) throw new Error('now and then');
    const { name, n } = data.json<{ name: string; n: number }>();
    const at = Number(process.hrtime.bigint());
    writeSync(1, `${JSON.stringify({ id, name, n, at } satisfies Handled)}\n`);
  },
  delivery,
);
await new Promise((resolve) => process.stdin.resume().once('end', resolve));
await subscription.caughtUp(ctx);
await conn.close();
