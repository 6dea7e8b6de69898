import { type Context, throwIfDone } from '@samovar/context';
import type { StreamInfo } from '@samovar/eda';
import { encodeId, type Head, maxCommit, type Selector } from '@samovar/edacore';
import { headOf, type NatsLog } from './natslog.ts';
import { summaryHeader } from './publisher.ts';
import type { Pulled } from './puller.ts';
import { scanned } from './scan.ts';

/**
 * The streams that a selector matches, by name. JetStream counts messages, which are commits: to count events, the
 * headers of all matching messages are looked through.
 */
export async function* streamsOf(log: NatsLog, ctx: Context, selector: Selector): AsyncGenerator<StreamInfo> {
  const found = new Map<string, { head: Head; events: number }>();
  const range = { selector: selector.text, from: 1, headersOnly: true };
  for await (const message of scanned(log, range)) {
    throwIfDone(ctx);
    const name = log.names.streamOf(message.msg.subject);
    if (log.erasures.has(name, message.position)) continue;
    const { head, events } = await summaryOf(log, message);
    found.set(name, { head, events: (found.get(name)?.events ?? 0) + events });
  }
  for (const [stream, { head, events }] of [...found].sort(([a], [b]) => (a < b ? -1 : 1))) {
    throwIfDone(ctx);
    yield { stream, head: encodeId(log.number, head.seq, true, head.clock), events };
  }
}

async function summaryOf(log: NatsLog, { position, msg }: Pulled): Promise<{ head: Head; events: number }> {
  const summary = /^(\d{1,4}) (\d{1,15})$/.exec(msg.headers?.get(summaryHeader) ?? '');
  if (summary !== null) {
    const [events, clock] = [Number(summary[1]), Number(summary[2])];
    return { head: { seq: position * maxCommit + events - 1, clock }, events };
  }
  const stored = await log.at(undefined, position);
  return { head: headOf({ position, commit: stored?.commit }), events: stored?.commit?.events.length ?? 0 };
}
