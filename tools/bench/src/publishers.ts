import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { background } from '@samovar/context';
import { type Conn, Data, type EventId } from '@samovar/eda';
import { connect } from '@samovar/edaimpl';
import { type Contender, type Measured, seconds, type Time } from './measure.ts';
import { type Indexing, type Letter, letter, type RawWork, rawPublish } from './rawlog.ts';
import { temporaryFolder } from './temporary.ts';

export interface Publisher extends Contender {
  /** How long the event loop kept timers waiting in each round, warm-ups too: the 99th percentile, in ms. */
  readonly delays: number[];
}

/** Batches by hand, as large as what is in flight. */
export function rawPublisher(work: RawWork, indexing: Indexing): Publisher {
  return intoNewFile(`raw node:sqlite, indexed ${indexing}`, work.events, (file, time) =>
    rawPublish(file, work, indexing, time),
  );
}

/** Publications that are each awaited by their publisher. */
export function samovarPublisher(work: RawWork): Publisher {
  return intoNewFile('conn.publish', work.events, async (file, time) => {
    await using conn = await connect(`sqlite:${file}`);
    const letters = Math.floor(work.events / work.inFlight);
    await time(async () => {
      const publishers = Array.from({ length: work.inFlight }, (_, publisher) =>
        work.isGuarded
          ? publishGuarded(conn, publisher, letters)
          : publishAll(conn, publisher, letters, work.isDistinct),
      );
      await Promise.all(publishers);
    });
  });
}

/** `work` does it in a new file, and has `time` run what counts. */
export function intoNewFile(
  name: string,
  events: number,
  work: (file: string, time: Time) => Promise<void>,
): Publisher {
  const delays: number[] = [];
  return {
    name,
    delays,
    async round() {
      await using folder = await temporaryFolder();
      let taken = 0;
      await work(join(folder.path, 'events.db'), async (timed) => {
        const delay = monitorEventLoopDelay({ resolution: 1 });
        delay.enable();
        taken = await seconds(timed);
        delay.disable();
        delays.push(delay.percentile(99) / 1e6);
      });
      return events / taken;
    },
  };
}

/** The delays of the rounds that count. */
export function delaysOf({ name, delays }: Publisher, rounds: number): Measured {
  return { name, values: delays.slice(-rounds) };
}

async function publishAll(conn: Conn, publisher: number, letters: number, isDistinct: boolean): Promise<void> {
  const stream = `bench.${isDistinct ? publisher : 0}`;
  for (let n = 0; n < letters; n++) await conn.publish(background, stream, toEvent(letter(publisher, n)));
}

async function publishGuarded(conn: Conn, publisher: number, letters: number): Promise<void> {
  let expectedHead: EventId | null = null;
  for (let n = 0; n < letters; n++) {
    const options = { expectedHead, key: `letter-${publisher}-${n}` };
    expectedHead = await conn.publish(background, `bench.${publisher}`, toEvent(letter(publisher, n)), options);
  }
}

export function toEvent(value: Letter) {
  return { type: 'bench.LetterSent', data: Data.json(value) };
}
