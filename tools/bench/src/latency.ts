import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import { background } from '@samovar/context';
import type { Conn } from '@samovar/eda';
import { connect } from '@samovar/edaimpl';
import { type Contender, type Effort, measure, median, part, ratio, summary, table } from './measure.ts';
import { toEvent } from './publishers.ts';
import { batchWriter, letter, makeFile, settings } from './rawlog.ts';
import { temporaryFolder } from './temporary.ts';

/** From the call of publish to the call of the handler, one event at a time, next to committing it by hand. */
export async function latency(effort: Effort): Promise<string> {
  const sends = part(effort, 1000);
  const ways = [rawCommits(sends), publishToHandler(true, sends), publishToHandler(false, sends)];
  const measured = await measure(ways, effort);
  const [raw] = measured;
  const rows = measured.map((way) => [way.name, summary(way), raw ? ratio(way, raw).toFixed(2) : '']);
  const notes = `p50 of ${sends} events in a round, one at a time; a subscription in the same process. WAL, synchronous=FULL.`;
  return `${notes}\n\n${table(['way', 'µs, median | min–max', '× one raw commit'], rows)}`;
}

function rawCommits(sends: number): Contender {
  return each('raw node:sqlite, one commit, not indexed', sends, async (run) => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, 'events.db');
    const kind = await makeFile(file);
    const db = new DatabaseSync(file);
    db.exec(settings);
    const work = { inFlight: 1, events: sends, isDistinct: true, isGuarded: false };
    const storeBatch = batchWriter(db, work, kind, 'never');
    await run(async (n) => {
      const began = performance.now();
      storeBatch(n);
      return performance.now() - began;
    });
    db.close();
  });
}

function publishToHandler(durable: boolean, sends: number): Contender {
  return each(`publish to handler, ${durable ? 'durable' : 'not durable'} subscription`, sends, async (run) => {
    await using folder = await temporaryFolder();
    await using conn = await connect(`sqlite:${join(folder.path, 'events.db')}`);
    await toHandler(conn, durable, run);
  });
}

/** Sends events, in `run`, to a handler of the same connection. */
export async function toHandler(conn: Conn, durable: boolean, run: Run): Promise<void> {
  let handled = () => {};
  await conn.subscribe('bench.*', () => handled(), { name: 'handler', durable });
  await run(async (n) => {
    let began = 0;
    const time = new Promise<number>((resolve) => {
      handled = () => resolve(performance.now() - began);
    });
    began = performance.now();
    await conn.publish(background, 'bench.0', toEvent(letter(0, n)));
    return await time;
  });
}

/** Sends one event after the other; `send` tells how many milliseconds the `n`th has taken. */
export type Run = (send: (n: number) => Promise<number>) => Promise<void>;

/** Comes to the median of what `sends` events took, in µs. */
export function each(name: string, sends: number, work: (run: Run) => Promise<void>): Contender {
  return {
    name,
    async round() {
      const times: number[] = [];
      await work(async (send) => {
        for (let n = 0; n < sends; n++) {
          times.push(await send(n));
          // What is left to do of one event, such as its acknowledgement, is not the next one's.
          await setImmediate();
        }
      });
      return median(times) * 1000;
    },
  };
}
