import type { KV } from '@nats-io/kv';
import { type Context, throwIfDone } from '@samovar/context';
import type { EventId, SubscriptionInfo } from '@samovar/eda';
import { defaultOptions } from '@samovar/edacore';
import { codeOf, codes } from '../errors.ts';
import { encodeName } from '../names.ts';
import type { NatsLog } from '../natslog.ts';
import type { Known } from './held.ts';

/** What is stored of a durable subscription, beside what the server knows of its consumer. */
export interface SubscriptionRecord {
  readonly name: string;
  readonly selector: string;
  readonly options: SubscriptionInfo['options'];
  readonly lastAcked: EventId | null;
  /** Tells one consumer of the name from those before it: a late acknowledgement of theirs is not to count. */
  readonly generation: string;
  /** The first position of the consumer. */
  readonly start: number;
}

/** A record as it is stored. */
export interface Kept {
  readonly record: SubscriptionRecord;
  readonly revision: number;
}

/** What is stored of durable subscriptions, in a bucket beside the log. */
export class Records {
  readonly #log: NatsLog;

  constructor(log: NatsLog) {
    this.#log = log;
  }

  peek(name: string): Promise<Kept | undefined> {
    return this.#get(keyOf(name));
  }

  /** Stores the record in the place of `kept`, or as the first one. Undefined: somebody else has stored one meanwhile. */
  async store(record: SubscriptionRecord, kept: Kept | undefined): Promise<Kept | undefined> {
    const [key, text] = [keyOf(record.name), JSON.stringify(record)];
    try {
      const revision = await this.#do((bucket) =>
        kept === undefined ? bucket.create(key, text) : bucket.update(key, text, kept.revision),
      );
      return { record, revision };
    } catch (error) {
      if (codeOf(error) === codes.wrongLastSequence) return undefined;
      throw error;
    }
  }

  async drop(name: string): Promise<void> {
    await this.#log.forget(keyOf(name));
    await this.forgetAll(name);
  }

  /** What the last one to hold the message at `position` has left. */
  async known({ name, generation }: SubscriptionRecord, position: number): Promise<Known | undefined> {
    const entry = await this.#do((bucket) => bucket.get(knownKey(name, generation, position)));
    return entry === null || entry.operation !== 'PUT' ? undefined : entry.json<Known>();
  }

  /** The positions of which something is known. */
  async knownPositions({ name, generation }: SubscriptionRecord): Promise<Set<number>> {
    const positions = new Set<number>();
    const keys = await this.#do((bucket) => bucket.keys(knownKey(name, generation, '*')));
    for await (const key of keys) positions.add(Number(key.split('.').at(-1)));
    return positions;
  }

  async know({ name, generation }: SubscriptionRecord, position: number, known: Known): Promise<void> {
    await this.#do((bucket) => bucket.put(knownKey(name, generation, position), JSON.stringify(known)));
  }

  async forget({ name, generation }: SubscriptionRecord, position: number): Promise<void> {
    await this.#log.forget(knownKey(name, generation, position));
  }

  async forgetAll(name: string): Promise<void> {
    await this.#log.forget(`known.${encodeName(name)}.>`);
  }

  /** All of them, by name. */
  async *list(ctx: Context): AsyncGenerator<SubscriptionInfo> {
    throwIfDone(ctx);
    const keys: string[] = [];
    for await (const key of await this.#do((bucket) => bucket.keys('subscription.*'))) keys.push(key);
    const all = await Promise.all(keys.map((key) => this.#get(key)));
    const records = all.flatMap((kept) => (kept === undefined ? [] : [kept.record]));
    for (const record of records.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      throwIfDone(ctx);
      const { name, selector, options, lastAcked } = record;
      yield { name, selector, options: { ...defaultOptions, ...options }, lastAcked };
    }
  }

  async #get(key: string): Promise<Kept | undefined> {
    const entry = await this.#do((bucket) => bucket.get(key));
    if (entry === null || entry.operation !== 'PUT') return undefined;
    return { record: entry.json<SubscriptionRecord>(), revision: entry.revision };
  }

  async #do<T>(action: (bucket: KV) => Promise<T>): Promise<T> {
    const bucket = await this.#log.bucket();
    return this.#log.attempt(undefined, () => action(bucket));
  }
}

function keyOf(name: string): string {
  return `subscription.${encodeName(name)}`;
}

function knownKey(name: string, generation: string, position: number | '*'): string {
  return `known.${encodeName(name)}.${generation}.${position}`;
}
