import { randomInt } from 'node:crypto';
import { nuid } from '@nats-io/transport-node';
import type {
  Changed,
  Parked,
  ParkedRequest,
  ParkedRow,
  Seq,
  StoredSubscription,
  Subscriptions,
} from '@samovar/edacore';
import { codeOf, codes } from '@samovar/nats/jetstream';
import { asLogError, isPassing } from '../errors.ts';
import { encodeName } from '../names.ts';
import type { NatsLog } from '../natslog.ts';
import { scanned } from '../scanned.ts';
import type { Kept, SubscriptionRecord } from './kept.ts';
import { Mirror } from './mirror.ts';
import { condensed, type Entry, entriesOf, parted, type Segment, unmerged } from './segments.ts';

/** Milliseconds until a write is repeated, until one is held to be lost, and until writing is given up. */
const pause = 100;
const timeout = 1_000;
const patience = 5_000;
/** Bytes of a segment, if the server takes so many. */
const segmentBytes = 512 * 1024;

/**
 * Durable subscriptions in the bucket beside the log: a record for each, replaced only by who has seen it, and segments
 * that say what is parked. Segments are written first and never changed; they count once a record lists them, and what
 * none lists is garbage.
 */
export class NatsSubscriptions implements Subscriptions {
  readonly #log: NatsLog;
  readonly #mirror: Mirror;

  constructor(log: NatsLog) {
    this.#log = log;
    this.#mirror = new Mirror(log);
  }

  ready(): Promise<void> {
    return this.#mirror.ready();
  }

  all(): [name: string, stored: StoredSubscription][] {
    return [...this.#mirror.all].flatMap(({ record }) =>
      record === undefined ? [] : [[record.name, record] as const],
    );
  }

  peek(name: string): StoredSubscription | undefined {
    return this.#mirror.of(name).record;
  }

  parked(name: string): Parked {
    return this.#mirror.of(name).parked;
  }

  change(name: string, change: Parameters<Subscriptions['change']>[1]): Promise<StoredSubscription | undefined> {
    return this.#change(name, (stored) => change(stored, newEpoch));
  }

  async drop(name: string): Promise<void> {
    await this.#change(name, (stored) => stored && 'none');
  }

  async request(name: string, seqs: readonly Seq[], request: ParkedRequest): Promise<Seq[]> {
    let others: readonly Seq[] = [];
    await this.change(name, (stored) => {
      const rows = new Map(
        this.parked(name)
          .rows(0, Number.POSITIVE_INFINITY)
          .map((row) => [row.seq, row]),
      );
      others = seqs.filter((seq) => rows.get(seq)?.request !== '');
      if (stored === undefined || others.length > 0) return undefined;
      const parked = new Map(seqs.map((seq) => [seq, { ...(rows.get(seq) as ParkedRow), request }]));
      return { ...stored, parked: { parked, waiting: new Map() } };
    });
    return [...others];
  }

  close(): void {
    this.#mirror.close();
  }

  /** Replaces what is stored by what `change` makes of it; 'none': by nothing. */
  async #change(
    name: string,
    change: (stored: StoredSubscription | undefined) => Changed | 'none' | undefined,
  ): Promise<SubscriptionRecord | undefined> {
    const kept = this.#mirror.of(name);
    const tried = new Set<string>();
    for (const began = performance.now(); ; ) {
      const { record, revision } = kept;
      if (record !== undefined && tried.has(record.write)) return record;
      const changed = change(record);
      if (changed === undefined) return undefined;
      const write = nuid.next();
      tried.add(write);
      try {
        if (changed === 'none') return await this.#replace(kept, name, { record, revision }, undefined);
        const { parked, ...next } = changed;
        const segments = await this.#segmentsOf(kept, name, record?.segments ?? [], parked);
        return await this.#replace(kept, name, { record, revision }, { ...next, name, write, segments });
      } catch (error) {
        const isConflict = error instanceof Conflict;
        // What is delivered meanwhile is stored by a later write, and closing is not to wait for a server that is gone.
        const isLate = this.#log.isDown || performance.now() - began > patience;
        if (isLate || !(isConflict || isPassing(error))) throw asLogError(error);
        // A write that failed may be stored all the same: then that shows in what is stored now.
        await this.#mirror.ready(patience);
        if (kept.revision === revision) await new Promise((resolve) => setTimeout(resolve, pause));
      }
    }
  }

  /** Stores `record`, if what is stored is still what was seen. @throws {Conflict} */
  async #replace(
    kept: Kept,
    name: string,
    seen: Pick<Kept, 'record' | 'revision'>,
    record: SubscriptionRecord | undefined,
  ): Promise<SubscriptionRecord | undefined> {
    const segments = record?.segments ?? [];
    const listed = new Set(segments.map(([id]) => id));
    const replaced = (seen.record?.segments ?? []).filter(([id]) => !listed.has(id));
    const garbage = replaced.flatMap((segment) => kept.revisionOf(segment) ?? []);
    const revision = await this.#swap(recordKey(name), record ?? null, seen.revision);
    kept.put(revision, record);
    // Whoever had it before may have left segments that no record lists.
    const removing =
      seen.record?.epoch === record?.epoch ? this.#remove(garbage) : this.#sweep(name, revision, segments);
    void removing.catch(() => {});
    return record;
  }

  /** Writes what changes into segments, together with the last ones of those before. Answers with all of them. */
  async #segmentsOf(
    kept: Kept,
    name: string,
    before: readonly Segment[],
    change: Changed['parked'],
  ): Promise<readonly Segment[]> {
    if (change === 'none') return [];
    const added = change === undefined ? [] : entriesOf(change);
    if (added.length === 0) return before;
    const same = unmerged(
      before.map(([, size]) => size),
      added.length,
    );
    const entries = condensed([...kept.entriesOf(before.slice(same)), ...added], same === 0);
    const parts = parted(entries, Math.min(segmentBytes, this.#log.maxBytes));
    return [...before.slice(0, same), ...(await Promise.all(parts.map((part) => this.#write(kept, name, part))))];
  }

  async #write(kept: Kept, name: string, entries: readonly Entry[]): Promise<Segment> {
    const id = nuid.next();
    const revision = await this.#put(segmentKey(name, id), entries);
    kept.putSegment(id, { revision, entries });
    return [id, entries.length];
  }

  /** Removes segments of the subscription that are not listed in its record, which has this revision. */
  async #sweep(name: string, revision: number, segments: readonly Segment[]): Promise<void> {
    const listed = new Set(segments.map(([id]) => segmentKey(name, id)));
    const source = this.#log.names.kept(segmentKey(name, '*'));
    const garbage: number[] = [];
    for await (const { position, msg } of scanned(this.#log, { source, from: 1, headersOnly: true })) {
      if (position > revision) break;
      if (!listed.has(this.#log.names.keyOf(msg.subject))) garbage.push(position);
    }
    await this.#remove(garbage);
  }

  async #remove(revisions: readonly number[]): Promise<void> {
    const { stream } = this.#log.names.kept('>');
    for (const revision of revisions) await this.#log.remove(undefined, stream, revision);
  }

  async #put(key: string, value: unknown): Promise<number> {
    const bucket = await this.#log.bucket();
    return bucket.put(key, JSON.stringify(value), { timeout });
  }

  /** Puts `value` where the key has the revision `seen`. Answers with the new one. @throws {Conflict} */
  async #swap(key: string, value: unknown, seen: number): Promise<number> {
    await this.#log.bucket();
    const { subject } = this.#log.names.kept(key);
    // Servers that keep a log together look at the revision before they agree on what comes next, so that two writers at
    // once may both find it right; they look for the same id again then.
    const unique = { msgID: `${key}.${seen}`, expect: { lastSubjectSequence: seen }, timeout };
    try {
      const { seq, duplicate } = await this.#log.js.publish(subject, JSON.stringify(value), unique);
      if (duplicate) throw new Conflict(seen);
      return seq;
    } catch (error) {
      const code = codeOf(error) ?? 0;
      const isConflict = codes.wrongLastSequence.has(code) || code === codes.repeatedTooSoon;
      throw isConflict ? new Conflict(seen) : error;
    }
  }
}

/** Somebody else has replaced what was to be replaced. */
class Conflict extends Error {
  constructor(revision: number) {
    super(`revision ${revision} is not the last one any more`);
  }
}

/** Random, as nobody counts them: two are not the same in the lifetime of a log. */
function newEpoch(): number {
  return randomInt(1, 2 ** 48 - 1);
}

function recordKey(name: string): string {
  return `subscriptions.${encodeName(name)}.record`;
}

function segmentKey(name: string, id: string): string {
  return `subscriptions.${encodeName(name)}.parked.${id}`;
}
