import { maxCommit, type Selector, type Seq } from '@samovar/edacore';
import type { NatsEvent } from './event.ts';
import type { NatsLog } from './natslog.ts';
import type { Pulled } from './puller.ts';
import { scanned } from './scanned.ts';

/** Positions looked through at once, at first; and what is held of them at most: messages, and bytes. */
const firstWindow = 64;
const mostHeld = 512;
const mostBytes = 8 * 1024 * 1024;

/** The matching events before `before`, or all, newest first. JetStream reads forwards only: this goes by windows. */
export async function* backwardsFrom(
  log: NatsLog,
  selector: Selector,
  before: Seq | undefined,
): AsyncGenerator<NatsEvent> {
  let end: number;
  if (before === undefined) {
    const last = await log.last(undefined, selector.text);
    if (last === undefined) return;
    yield* log.eventsIn(last).reverse();
    end = last.position;
  } else end = Math.floor(before / maxCommit) + 1;
  for (let width = firstWindow; end > 1; ) {
    const from = Math.max(1, end - width);
    const { held, isWhole, isSparse } = await window(log, selector, from, end);
    for (const message of held.reverse()) {
      for (const event of log.eventsIn(log.decoded(message)).reverse()) {
        if (before === undefined || event.seq < before) yield event;
      }
    }
    end = isWhole ? from : (held.at(-1) as Pulled).position;
    if (isSparse) width *= 4;
    else if (!isWhole) width = firstWindow;
  }
}

/** The last messages of those from `from` to before `end`, as many as may be held. */
async function window(log: NatsLog, selector: Selector, from: number, end: number) {
  const held: Pulled[] = [];
  let [bytes, isWhole] = [0, true];
  for await (const message of scanned(log, { source: log.names.events(selector.text), from })) {
    if (message.position >= end) break;
    held.push(message);
    bytes += message.data.length;
    while (held.length > 1 && (held.length > mostHeld || bytes > mostBytes)) {
      bytes -= (held.shift() as Pulled).data.length;
      isWhole = false;
    }
  }
  return { held, isWhole, isSparse: isWhole && held.length < mostHeld / 8 && bytes < mostBytes / 8 };
}
