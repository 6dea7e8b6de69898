import { setTimeout } from 'node:timers/promises';
import {
  type DirectStreamAPI,
  DiscardPolicy,
  type JetStreamClient,
  type JetStreamManager,
  type JetStreamPublishOptions,
  jetstream,
  jetstreamManager,
  type PubAck,
  RetentionPolicy,
  StorageType,
  type StreamAPI,
} from '@nats-io/jetstream';
import { headers, type NatsConnection } from '@nats-io/transport-node';
import { codeOf, codes, isNotEnabled } from '@samovar/nats/jetstream';

export interface BucketOptions {
  readonly name: string;
  /** How many servers keep it, if it is made. */
  readonly replicas: number;
  /** Milliseconds after which the server forgets what is stored. Default: it never does. */
  readonly maxAgeMs?: number;
  /** Milliseconds until a question that is not answered has failed. */
  readonly timeoutMs: number;
}

/** What is stored under a key. */
export interface Stored<Value> {
  /** 0: nothing ever was. */
  readonly revision: number;
  /** undefined: nothing, or nothing any more. */
  readonly value: Value | undefined;
  /** When, in milliseconds since 1970, as the server has it. */
  readonly at: number;
}

/** Nanoseconds that the server remembers a write by its id, unless it forgets what was written before that. */
const duplicateWindow = 120e9;
/** How often a write that nobody takes is tried, and the milliseconds between. */
const attempts = 20;
const pause = 100;
const deleted = headers();
deleted.set('KV-Operation', 'DEL');

/** Values under keys, the last one of each, that are replaced only by who knows what is there: a bucket of JetStream KV. */
export class Bucket<Value> {
  readonly #name: string;
  readonly #js: JetStreamClient;
  readonly #streams: StreamAPI;
  readonly #api: Pick<DirectStreamAPI & StreamAPI, 'getMessage'>;
  readonly #isGuarded: boolean;

  private constructor(js: JetStreamClient, jsm: JetStreamManager, replicas: number, { name }: BucketOptions) {
    this.#name = name;
    this.#js = js;
    this.#streams = jsm.streams;
    this.#isGuarded = replicas > 1;
    // Any replica answers a direct question, also one that has not got the latest value yet.
    this.#api = replicas > 1 ? jsm.streams : jsm.direct;
  }

  /** Makes the bucket, if it is not there; one that is gets these times. */
  static async open<Value>(nc: NatsConnection, options: BucketOptions): Promise<Bucket<Value>> {
    const jsm = await jetstreamManager(nc, { timeout: options.timeoutMs });
    const replicas = await make(jsm, options);
    return new Bucket(jetstream(nc, { timeout: options.timeoutMs }), jsm, replicas, options);
  }

  async get(key: string): Promise<Stored<Value>> {
    const query = { last_by_subj: this.#subject(key) };
    const found = await this.#api.getMessage(`KV_${this.#name}`, query).catch(nullIfNotFound);
    if (found === null) return { revision: 0, value: undefined, at: 0 };
    const value = found.data.length === 0 ? undefined : found.json<Value>();
    return { revision: found.seq, value, at: found.time.getTime() };
  }

  /** The keys that something is stored under, or was until it was removed: the server may remember that for a while. */
  async keys(): Promise<Set<string>> {
    const { state } = await this.#streams.info(`KV_${this.#name}`, { subjects_filter: this.#subject('>') });
    const prefix = this.#subject('');
    return new Set(Object.keys(state.subjects ?? {}).map((subject) => subject.slice(prefix.length)));
  }

  /**
   * Replaces what has the revision `seen`, 0 being nothing; undefined removes it. Answers with the new revision, or
   * undefined if something else is there. One that fails otherwise may have been stored all the same.
   */
  async swap(key: string, value: Value | undefined, seen: number): Promise<number | undefined> {
    const expect = { lastSubjectSequence: seen };
    // Servers that keep a bucket together look at the revision before they agree on what comes next, so that two writers
    // at once may both find it right; they look for the same id again then.
    const unique = this.#isGuarded ? { msgID: `${key}.${seen}` } : {};
    const marked = value === undefined ? { headers: deleted } : {};
    const payload = value === undefined ? '' : JSON.stringify(value);
    try {
      const ack = await this.#publish(key, payload, { expect, ...unique, ...marked });
      return ack.duplicate ? undefined : ack.seq;
    } catch (error) {
      if (codes.wrongLastSequence.has(codeOf(error) ?? 0)) return undefined;
      throw error;
    }
  }

  /** Again while nobody takes it: a bucket that was just made, or has no leader, is not known to all servers. */
  async #publish(key: string, payload: string, options: Partial<JetStreamPublishOptions>): Promise<PubAck> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#js.publish(this.#subject(key), payload, options);
      } catch (error) {
        if (!isUntaken(error) || attempt === attempts) throw error;
        await setTimeout(pause);
      }
    }
  }

  #subject(key: string): string {
    return `$KV.${this.#name}.${key}`;
  }
}

function nullIfNotFound(error: unknown): null {
  if (codeOf(error) === codes.messageNotFound) return null;
  throw error;
}

/** Answers with the number of servers that keep it. */
async function make(jsm: JetStreamManager, { name, replicas, maxAgeMs = 0 }: BucketOptions): Promise<number> {
  const max_age = Math.round(maxAgeMs * 1e6);
  const times = { max_age, duplicate_window: max_age === 0 ? duplicateWindow : Math.min(max_age, duplicateWindow) };
  try {
    const { config } = await jsm.streams.add({
      name: `KV_${name}`,
      subjects: [`$KV.${name}.>`],
      max_msgs_per_subject: 1,
      storage: StorageType.File,
      retention: RetentionPolicy.Limits,
      discard: DiscardPolicy.New,
      num_replicas: replicas,
      allow_rollup_hdrs: true,
      allow_direct: true,
      ...times,
    });
    return config.num_replicas;
  } catch (error) {
    if (codeOf(error) !== codes.streamNameInUse) throw error;
    return (await jsm.streams.update(`KV_${name}`, times)).config.num_replicas;
  }
}

/** Whether a write was not looked at: nobody was there to take it, or nobody who has JetStream, or it comes too soon. */
function isUntaken(error: unknown): boolean {
  return codeOf(error) === codes.repeatedTooSoon || isNotEnabled(error);
}
