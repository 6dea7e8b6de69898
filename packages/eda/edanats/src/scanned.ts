import { precedes, type Range } from './consumer.ts';
import type { NatsLog } from './natslog.ts';
import type { Pulled } from './puller.ts';
import { Scan } from './scan.ts';
import { duplicateWindow } from './storage.ts';

/** All messages of a range that are there now, in log order. */
export async function* scanned(log: NatsLog, range: Range): AsyncGenerator<Pulled> {
  // How many the consumer says there are is not to be relied on: server 2.9 miscounts now and then.
  const last = await log.lastOf(undefined, range.source);
  if (last === undefined || precedes(last, range.from)) return;
  const scan = new Scan(log, range);
  try {
    for (;;) {
      await scan.moreSoon();
      const message = scan.peek();
      if (message === undefined) {
        if (!(await scan.lookAgain())) return;
        continue;
      }
      if (message.position > last.position) return;
      scan.skip();
      yield message;
      if (message.position === last.position) return;
    }
  } finally {
    scan.close();
  }
}

/** The position of a stream's message with this id, if it was stored within the server's memory for ids and `age` ms. */
export async function findMessage(log: NatsLog, stream: string, id: string, age = 0): Promise<number | undefined> {
  const range = { source: log.names.events(stream), from: { time: Date.now() - duplicateWindow / 1e6 - age } };
  for await (const { position, msg } of scanned(log, { ...range, headersOnly: true })) {
    if (msg.headers?.get('Nats-Msg-Id') === id) return position;
  }
  return undefined;
}
