import { background } from '@samovar/context';
import { connect } from '@samovar/edaimpl';
import { natsLacking } from '@samovar/edatest/nats';
import { reading } from './catchup.ts';
import { each, toHandler } from './latency.ts';
import { type Contender, type Effort, measure, part, ratio, short, summary, table } from './measure.ts';
import { natsPublish } from './natspublish.ts';
import { openRaw, type Raw, setting, startServer, subjectOf } from './natsraw.ts';
import { toEvent } from './publishers.ts';
import { type Letter, letter } from './rawlog.ts';

const publishers = 100;

/** The event log on JetStream next to what NATS' own client does on the same server. */
export async function nats(effort: Effort): Promise<string> {
  const lacking = natsLacking();
  if (lacking !== undefined) return `Not measured: ${lacking}`;
  return [await setting(), await natsPublish(effort), await catchup(effort), await latency(effort)].join('\n\n');
}

/** A durable subscription that handles everything from the beginning, next to the client's consumer. */
async function catchup(effort: Effort): Promise<string> {
  const events = part(effort, 100_000, publishers);
  await using theirs = await startServer();
  await using ours = await startServer();
  await using raw = await openRaw(theirs.url);
  await inTurns(events, (n) =>
    raw.js.publish(subjectOf(n % publishers), JSON.stringify(letter(0, n)), { msgID: String(n) }),
  );
  await fill(ours.url, events);
  const measured = await measure([consume(raw, events), subscription(ours.url, events)], effort);
  const [peer] = measured;
  const rows = measured.map((way) => [way.name, summary(way), peer ? ratio(way, peer).toFixed(2) : '']);
  const notes = `${short(events)} events of ${publishers} streams, a message each with its msgID, decoded: 100 characters of JSON.`;
  return `${notes}\n\n${table(['catching up', 'events/s, median | min–max', '× consume'], rows)}`;
}

async function fill(url: string, events: number): Promise<void> {
  await using conn = await connect(url);
  await inTurns(events, (n) => conn.publish(background, `bench.${n % publishers}`, toEvent(letter(0, n))));
}

/** One event of each publisher at a time. */
async function inTurns(events: number, publish: (n: number) => Promise<unknown>): Promise<void> {
  for (let n = 0; n < events; n += publishers) {
    await Promise.all(Array.from({ length: publishers }, (_, publisher) => publish(n + publisher)));
  }
}

function consume(raw: Raw, events: number): Contender {
  let round = 0;
  return reading('consumer.consume, explicit ack, message.json()', events, async (take, time) => {
    const consumer = await raw.consumer(`round-${round++}`);
    await time(async () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      let left = events;
      const callback = (message: { json: <T>() => T; ack: () => void }) => {
        take(message.json<Letter>());
        message.ack();
        if (--left === 0) resolve();
      };
      const messages = await consumer.consume({ max_messages: 5000, callback });
      await promise;
      await messages.close();
      await raw.nc.flush();
    });
    await consumer.delete();
  });
}

function subscription(url: string, events: number): Contender {
  let round = 0;
  return reading('durable subscription to bench.*, data.json()', events, async (take, time) => {
    await using conn = await connect(url);
    const options = { name: `round ${round++}`, durable: true, backfill: true };
    await time(async () => {
      const subscription = await conn.subscribe('bench.*', (_, event) => take(event.data.json<Letter>()), options);
      await subscription.caughtUp(background);
    });
  });
}

/** From the call of publish to the call of the handler, one event at a time. */
async function latency(effort: Effort): Promise<string> {
  const sends = part(effort, 1000);
  const measured = await measure([rawRoundTrip(sends), publishToHandler(sends)], effort);
  const [raw] = measured;
  const rows = measured.map((way) => [way.name, summary(way), raw ? ratio(way, raw).toFixed(2) : '']);
  const notes = `p50 of ${sends} events in a round, one at a time; both ends in the same process.`;
  return `${notes}\n\n${table(['publish to handler', 'µs, median | min–max', '× the client'], rows)}`;
}

function rawRoundTrip(sends: number): Contender {
  return each('js.publish to the callback of consumer.consume', sends, async (run) => {
    await using server = await startServer();
    await using raw = await openRaw(server.url);
    const consumer = await raw.consumer('handler');
    let handled = () => {};
    const callback = (message: { ack: () => void }) => {
      handled();
      message.ack();
    };
    const messages = await consumer.consume({ callback });
    await run(async (n) => {
      let began = 0;
      const time = new Promise<number>((resolve) => {
        handled = () => resolve(performance.now() - began);
      });
      began = performance.now();
      await raw.js.publish(subjectOf(0), JSON.stringify(letter(0, n)));
      return await time;
    });
    await messages.close();
  });
}

function publishToHandler(sends: number): Contender {
  return each('conn.publish to the handler of a durable subscription', sends, async (run) => {
    await using server = await startServer();
    await using conn = await connect(server.url);
    await toHandler(conn, true, run);
  });
}
