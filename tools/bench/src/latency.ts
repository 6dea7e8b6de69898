import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import { background } from '@samovar/context';
import { connect } from '@samovar/edaimpl';
import { type Contender, measure, median, ratio, summary, table } from './measure.ts';
import { toEvent } from './publishers.ts';
import { batchWriter, letter, makeFile, settings } from './rawlog.ts';
import { temporaryFolder } from './temporary.ts';

const sends = 1000;

/** From the call of publish to the call of the handler, one event at a time, next to committing it by hand. */
export async function latency(rounds: number): Promise<string> {
  const measured = await measure([rawCommits(), publishToHandler(true), publishToHandler(false)], { rounds });
  const [raw] = measured;
  const rows = measured.map((way) => [way.name, summary(way), raw ? ratio(way, raw).toFixed(2) : '']);
  const notes = `p50 of ${sends} events in a round, one at a time; a subscription in the same process. WAL, synchronous=FULL.`;
  return `${notes}\n\n${table(['way', 'µs, median | min–max', '× one raw commit'], rows)}`;
}

function rawCommits(): Contender {
  return each('raw node:sqlite, one commit, not indexed', async (file, run) => {
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

function publishToHandler(durable: boolean): Contender {
  return each(`publish to handler, ${durable ? 'durable' : 'not durable'} subscription`, async (file, run) => {
    await using conn = await connect(`sqlite:${file}`);
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
  });
}

/** `send` in `run` tells how many milliseconds the `n`th event took. */
function each(
  name: string,
  work: (file: string, run: (send: (n: number) => Promise<number>) => Promise<void>) => Promise<void>,
): Contender {
  return {
    name,
    async round() {
      await using folder = await temporaryFolder();
      const times: number[] = [];
      await work(join(folder.path, 'events.db'), async (send) => {
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
