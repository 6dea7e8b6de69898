import type { StreamInfo } from '@samovar/eda';
import { encodeId, type Head, maxCommit, type Selector } from '@samovar/edacore';
import { headOf, type NatsLog } from './natslog.ts';
import type { Pulled } from './puller.ts';
import { scanned } from './scanned.ts';
import { summaryOf } from './summary.ts';

/**
 * The streams that a selector matches, by name. JetStream counts messages, which are commits: to count events, the
 * headers of all matching messages are looked through. `check` throws if the caller may not go on.
 */
export async function* streamsOf(log: NatsLog, selector: Selector, check: () => void): AsyncGenerator<StreamInfo> {
  const found = new Map<string, { head: Head; events: number }>();
  const range = { source: log.names.events(selector.text), from: 1, headersOnly: true };
  for await (const message of scanned(log, range)) {
    check();
    const name = log.names.streamOf(message.msg.subject);
    if (log.erasures.has(name, message.position)) continue;
    const { head, events } = await contentOf(log, message);
    found.set(name, { head, events: (found.get(name)?.events ?? 0) + events });
  }
  for (const [stream, { head, events }] of [...found].sort(([a], [b]) => (a < b ? -1 : 1))) {
    check();
    yield { stream, head: encodeId(log.number, head.seq, true, head.clock), events };
  }
}

async function contentOf(log: NatsLog, { position, msg }: Pulled): Promise<{ head: Head; events: number }> {
  const summary = summaryOf(msg);
  if (summary !== undefined) {
    const { events, clock } = summary;
    return { head: { seq: position * maxCommit + events - 1, clock }, events };
  }
  const stored = await log.at(undefined, position);
  return { head: headOf({ position, commit: stored?.commit }), events: stored?.commit?.events.length ?? 0 };
}
