import { createInbox, type Msg, MsgHdrsImpl } from '@nats-io/transport-node';
import { background } from '@samovar/context';
import { connect } from '@samovar/edaimpl';
import { type Contender, type Effort, measure, part, ratio, seconds, summary, table } from './measure.ts';
import { openRaw, type Raw, startServer, subjectOf } from './natsraw.ts';
import { toEvent } from './publishers.ts';
import { letter } from './rawlog.ts';

const inFlight = 256;

/** Sends the `n`th letter of a publisher, under a key of its own, and resolves when it is acknowledged. */
type Send = (publisher: number, n: number) => Promise<unknown>;

/** Publishes with a key, each awaited by its publisher, next to the client's own. */
export async function natsPublish(effort: Effort): Promise<string> {
  const events = part(effort, 51_200, inFlight);
  const ways = [clientPublish(events), oneSubscription(events), connPublish(events)];
  const measured = await measure(ways, effort);
  const rows = measured.map((way) => [
    way.name,
    summary(way),
    ...measured.slice(0, 2).map((other) => ratio(way, other).toFixed(2)),
  ]);
  const notes = `${inFlight} in flight, a stream each, each with a key; a payload is 100 characters of JSON.`;
  const head = ['publish', 'events/s, median | min–max', '× js.publish', '× one subscription'];
  return `${notes}\n\n${table(head, rows)}`;
}

function clientPublish(events: number): Contender {
  return publishing('js.publish with msgID', events, async (url, publish) => {
    await using raw = await openRaw(url);
    await publish((publisher, n) => {
      return raw.js.publish(subjectOf(publisher), payload(publisher, n), { msgID: key(publisher, n) });
    });
  });
}

function oneSubscription(events: number): Contender {
  const name = 'nc.publish with msgID, answers through one subscription';
  return publishing(name, events, async (url, publish) => {
    await using raw = await openRaw(url);
    await publish(sender(raw));
  });
}

/** The least that a client has to do for acknowledged messages with a key: the limit. */
function sender({ nc }: Raw): Send {
  const inbox = createInbox();
  const waiting = new Map<number, { resolve: () => void; reject: (error: Error) => void }>();
  let sent = 0;
  const callback = (_: Error | null, msg: Msg) => {
    const token = Number(msg.subject.slice(inbox.length + 1));
    const { error } = msg.json<{ error?: { description: string } }>();
    if (error === undefined) waiting.get(token)?.resolve();
    else waiting.get(token)?.reject(new Error(error.description));
    waiting.delete(token);
  };
  nc.subscribe(`${inbox}.*`, { callback });
  return (publisher, n) =>
    new Promise<void>((resolve, reject) => {
      waiting.set(++sent, { resolve, reject });
      const headers = MsgHdrsImpl.fromRecord({ 'Nats-Msg-Id': [key(publisher, n)] });
      nc.publish(subjectOf(publisher), payload(publisher, n), { reply: `${inbox}.${sent}`, headers });
    });
}

function connPublish(events: number): Contender {
  return publishing('conn.publish with key', events, async (url, publish) => {
    await using conn = await connect(url);
    await publish((publisher, n) => {
      const event = toEvent(letter(publisher, n));
      return conn.publish(background, `bench.${publisher}`, event, { key: key(publisher, n) });
    });
  });
}

/** `work` connects to a new server, and has `publish` send all. */
function publishing(
  name: string,
  events: number,
  work: (url: string, publish: (send: Send) => Promise<void>) => Promise<void>,
): Contender {
  return {
    name,
    async round() {
      await using server = await startServer();
      let taken = 0;
      await work(server.url, async (send) => {
        const publisher = async (_: unknown, publisher: number) => {
          for (let n = 0; n < events / inFlight; n++) await send(publisher, n);
        };
        taken = await seconds(async () => void (await Promise.all(Array.from({ length: inFlight }, publisher))));
      });
      return events / taken;
    },
  };
}

function payload(publisher: number, n: number): string {
  return JSON.stringify(letter(publisher, n));
}

function key(publisher: number, n: number): string {
  return `letter-${publisher}-${n}`;
}
