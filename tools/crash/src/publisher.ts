import { writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { background as ctx } from '@samovar/context';
import { Data } from '@samovar/eda';
import { type Acknowledged, connected, keyOf, streamOf, streams } from './load.ts';

/**
 * Publishes numbers, from the one it is told on and each under its key, until its standard input ends: on each stream
 * the next only when the one before was acknowledged.
 */
const [url = '', name = '', from = '0'] = process.argv.slice(2);

const pauseMs = 5;

const conn = await connected(url);
let stopping = false;
process.stdin.resume().once('end', () => {
  stopping = true;
});

async function publish(n: number): Promise<void> {
  const event = { type: 'crash.Published', data: Data.json({ name, n }) };
  const id = await conn.publish(ctx, streamOf(n), event, { key: keyOf(name, n) });
  writeSync(1, `${JSON.stringify({ n, id } satisfies Acknowledged)}\n`);
}

for (let n = Number(from); !stopping; n += streams) {
  await Promise.all(Array.from({ length: streams }, (_, i) => publish(n + i)));
  await delay(pauseMs);
}
await conn.close();
