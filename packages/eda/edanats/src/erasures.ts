import type { Context } from '@samovar/context';
import { messageId, streamHash } from './names.ts';
import type { NatsLog } from './natslog.ts';
import { scanned } from './scanned.ts';
import { duplicateWindow } from './storage.ts';

const window = duplicateWindow / 1e6;
/** Messages deleted at once. */
const atOnce = 64;

/** What is stored of a stream's erasure. From then on it is erased, whatever of its messages is still there. */
interface Erasure {
  readonly stream: string;
  /** The last position that is erased. */
  readonly to: number;
  /** Whether all messages up to there are deleted. */
  readonly isDone: boolean;
  /** Of what was published with a key within the server's memory for that, which has an end, in milliseconds. */
  readonly ids: readonly string[];
  readonly until: number;
}

/** What was erased of a log, as far as it matters for what was read before, and for what is published again. */
export class Erasures {
  readonly #log: NatsLog;
  readonly #subject: string;
  readonly #streams = new Map<string, number>();
  readonly #ids = new Map<string, number>();

  constructor(log: NatsLog) {
    this.#log = log;
    this.#subject = `${log.names.stream}.erased`;
    log.nc.subscribe(this.#subject, {
      callback: (error, msg) => {
        if (error === null) this.#note(msg.json<Erasure>());
      },
    });
  }

  /** Learns of what was erased before, and does what was not finished. */
  async load(): Promise<void> {
    await this.#log.bucket();
    const keys = new Set<string>();
    // The client's own listing of keys waits for ones that are removed meanwhile.
    const range = { source: this.#log.names.kept('erased.*'), from: 1, headersOnly: true };
    for await (const { msg } of scanned(this.#log, range)) keys.add(this.#log.names.keyOf(msg.subject));
    for (const key of keys) {
      const stored = await this.#stored(key);
      if (stored === undefined) continue;
      const { erasure, revision } = stored;
      this.#note(erasure);
      if (erasure.isDone && erasure.until < Date.now())
        await this.#log.remove(undefined, this.#log.names.kept(key).stream, revision);
      if (!erasure.isDone) await this.#finish(undefined, erasure, await this.#positions(erasure));
    }
  }

  /** Whether the message at `position` is erased, as far as is known here. */
  has(stream: string, position: number): boolean {
    return position <= (this.#streams.get(stream) ?? 0);
  }

  /** Whether what was published with this key is erased. */
  hasKey(stream: string, key: string): boolean {
    return this.#ids.size > 0 && (this.#ids.get(messageId(stream, key)) ?? 0) > Date.now();
  }

  async erase(ctx: Context, stream: string): Promise<void> {
    const to = await this.#log.lastPosition(ctx, this.#log.names.events(stream));
    if (to === 0) return;
    const now = Date.now();
    const ids = new Set<string>();
    const positions = await this.#positions({ stream, to }, (id, stored) => {
      // Ids of publications without a key are of no use to anybody.
      if (stored > now - window && !id.includes('.')) ids.add(id);
    });
    const before = (await this.#stored(keyOf(stream)))?.erasure;
    if (before !== undefined && before.until > now) for (const id of before.ids) ids.add(id);
    const erasure = { stream, to, isDone: false, ids: [...ids], until: now + window };
    await this.#store(erasure);
    this.#note(erasure);
    this.#log.nc.publish(this.#subject, JSON.stringify(erasure));
    await this.#finish(ctx, erasure, positions);
  }

  /** One by one: to purge a subject, server 2.9 makes consumers of more subjects skip what they have not had of the others. */
  async #finish(ctx: Context | undefined, erasure: Erasure, positions: readonly number[]): Promise<void> {
    for (let at = 0; at < positions.length; at += atOnce) {
      await Promise.all(
        positions.slice(at, at + atOnce).map((position) => this.#log.remove(ctx, this.#log.names.stream, position)),
      );
    }
    await this.#store({ ...erasure, isDone: true });
  }

  async #positions(
    { stream, to }: Pick<Erasure, 'stream' | 'to'>,
    each: (id: string, stored: number) => void = () => {},
  ): Promise<number[]> {
    const positions: number[] = [];
    const source = this.#log.names.events(stream);
    for await (const { position, stored, msg } of scanned(this.#log, { source, from: 1, headersOnly: true })) {
      if (position > to) break;
      positions.push(position);
      each(msg.headers?.get('Nats-Msg-Id') ?? '.', stored);
    }
    return positions;
  }

  async #stored(key: string): Promise<{ readonly erasure: Erasure; readonly revision: number } | undefined> {
    const bucket = await this.#log.bucket();
    const entry = await this.#log.attempt(undefined, () => bucket.get(key));
    return entry?.operation === 'PUT' ? { erasure: entry.json(), revision: entry.revision } : undefined;
  }

  async #store(erasure: Erasure): Promise<void> {
    const bucket = await this.#log.bucket();
    await this.#log.attempt(undefined, () => bucket.put(keyOf(erasure.stream), JSON.stringify(erasure)));
  }

  #note({ stream, to, ids, until }: Erasure): void {
    this.#streams.set(stream, Math.max(to, this.#streams.get(stream) ?? 0));
    const now = Date.now();
    for (const [id, end] of this.#ids) if (end <= now) this.#ids.delete(id);
    for (const id of ids) this.#ids.set(id, until);
  }
}

function keyOf(stream: string): string {
  return `erased.${streamHash(stream)}`;
}
