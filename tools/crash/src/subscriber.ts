import { writeSync } from 'node:fs';
import { background as ctx } from '@samovar/context';
import { connect } from '@samovar/edaimpl';
import { delivery, selector } from './load.ts';

/** Says what it handles, and fails now and then, until its standard input ends; then it handles all there is. */
const [url = ''] = process.argv.slice(2);

const failures = 0.01;

const conn = await connect(url, { logger: null });
const subscription = await conn.subscribe(
  selector,
  (_ctx, { id, stream, deliveries }) => {
    if (deliveries === 1 && Math.random() < failures) throw new Error('now and then');
    writeSync(1, `${JSON.stringify({ id, stream })}\n`);
  },
  delivery,
);
await new Promise((resolve) => process.stdin.resume().once('end', resolve));
await subscription.caughtUp(ctx);
await conn.close();
