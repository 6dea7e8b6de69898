import { type JetStreamManager, jetstream, jetstreamManager, type StoredMsg } from '@nats-io/jetstream';
import { type KV, Kvm } from '@nats-io/kv';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { type Context, throwIfDone } from '@samovar/context';
import { type EventId, type Logger, LogUnavailableError } from '@samovar/eda';
import { decodeCommit, encodeId, type Head, maxCommit, type WireCommit } from '@samovar/edacore';
import { Erasures } from './erasures.ts';
import { asLogError, codeOf, codes, isNotEnabled, isPassing } from './errors.ts';
import { Names } from './names.ts';
import { Publisher } from './publisher.ts';
import { openStorage, type Storage } from './storage.ts';
import type { Address } from './url.ts';

/** Milliseconds: until connecting is given up, between attempts at anything, and until those are given up. */
const connectTimeout = 5_000;
const pause = 100;
const patience = 15_000;
/** Bytes of a message that are not payload. */
const overhead = 16 * 1024;

type Query = { readonly seq: number } | { readonly last_by_subj: string };

/** A stored message. */
export interface Stored {
  readonly position: number;
  readonly subject: string;
  readonly stored: number;
  readonly commit: WireCommit | undefined;
}

/** An event log on a server, with one connection for all who use it in this process. */
export class NatsLog {
  readonly names: Names;
  readonly nc: NatsConnection;
  readonly jsm: JetStreamManager;
  readonly publisher: Publisher;
  readonly erasures: Erasures;
  readonly logger: Logger | undefined;
  readonly #storage: Storage;
  readonly #onReconnect = new Set<() => void>();
  #bucket: Promise<KV> | undefined;

  private constructor(nc: NatsConnection, jsm: JetStreamManager, names: Names, storage: Storage, logger?: Logger) {
    this.nc = nc;
    this.jsm = jsm;
    this.names = names;
    this.#storage = storage;
    this.logger = logger;
    this.publisher = new Publisher(this);
    this.erasures = new Erasures(this);
    void this.#watchConnection();
  }

  /** @throws {LogUnavailableError} @throws {NotALogError} */
  static async open(address: Address, cluster: string, replicas?: number, logger?: Logger): Promise<NatsLog> {
    const names = new Names(cluster);
    let nc: NatsConnection | undefined;
    try {
      nc = await dial(address);
      const jsm = await jetstreamManager(nc, { timeout: connectTimeout });
      const log = new NatsLog(nc, jsm, names, await openStorage(jsm, names, replicas, logger), logger);
      await log.erasures.load();
      return log;
    } catch (error) {
      await nc?.close();
      throw asOpenError(error, address);
    }
  }

  /** The log's number. */
  get number(): number {
    return this.#storage.number;
  }

  /** How many servers keep the log. */
  get replicas(): number {
    return this.#storage.replicas;
  }

  /** Bytes that a commit's message may have. */
  get maxBytes(): number {
    return this.maxPayload - overhead;
  }

  /** Bytes that a message may have, as the server says. */
  get maxPayload(): number {
    return this.nc.info?.max_payload ?? 2 ** 20;
  }

  /** Calls `then` after each reconnection, until the function returned is called. */
  onReconnect(then: () => void): () => void {
    this.#onReconnect.add(then);
    return () => this.#onReconnect.delete(then);
  }

  /** Does what can be repeated until the server can do it. @throws {LogUnavailableError} when that takes too long. */
  async attempt<T>(ctx: Context | undefined, action: () => Promise<T>): Promise<T> {
    for (const began = performance.now(); ; ) {
      if (ctx !== undefined) throwIfDone(ctx);
      try {
        return await action();
      } catch (error) {
        if (!isPassing(error) || this.nc.isClosed() || performance.now() - began > patience) throw asLogError(error);
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    }
  }

  /** The last message that a selector matches. */
  last(ctx: Context | undefined, selector: string): Promise<Stored | undefined> {
    return this.#message(ctx, { last_by_subj: this.names.subject(selector) });
  }

  /** The position of the last message that a selector matches; 0 if there is none. */
  async lastPosition(ctx: Context | undefined, selector: string): Promise<number> {
    return (await this.#found(ctx, { last_by_subj: this.names.subject(selector) }))?.seq ?? 0;
  }

  /** The message at this position. */
  at(ctx: Context | undefined, position: number): Promise<Stored | undefined> {
    return this.#message(ctx, { seq: position });
  }

  /** The position of the last message that was stored, be it erased or not. */
  async tip(ctx: Context | undefined): Promise<number> {
    return (await this.attempt(ctx, () => this.jsm.streams.info(this.names.stream))).state.last_seq;
  }

  async head(ctx: Context, stream: string): Promise<EventId | null> {
    const stored = await this.last(ctx, stream);
    if (stored === undefined || this.erasures.has(stream, stored.position)) return null;
    const { seq, clock } = headOf(stored);
    return encodeId(this.number, seq, true, clock);
  }

  /** Makes what durable subscriptions are kept in, if it is not there. */
  bucket(): Promise<KV> {
    const { replicas } = this;
    this.#bucket ??= this.attempt(undefined, () => new Kvm(jetstream(this.nc)).create(this.names.bucket, { replicas }));
    this.#bucket.catch(() => {
      this.#bucket = undefined;
    });
    return this.#bucket;
  }

  /** Removes these keys from the bucket, which may have wildcards, and leaves nothing of them behind. */
  async forget(keys: string): Promise<void> {
    const { bucket } = this.names;
    await this.bucket();
    const filter = `$KV.${bucket}.${keys}`;
    await this.attempt(undefined, () => this.jsm.streams.purge(`KV_${bucket}`, { filter }));
  }

  async close(): Promise<void> {
    await this.publisher.close();
    if (this.nc.isClosed()) return;
    await Promise.race([this.nc.drain(), new Promise((resolve) => setTimeout(resolve, 1000))]).catch(() => {});
    await this.nc.close();
  }

  async #message(ctx: Context | undefined, query: Query): Promise<Stored | undefined> {
    const found = await this.#found(ctx, query);
    if (found === null) return undefined;
    const { seq: position, subject, data, time } = found;
    return { position, subject, stored: time.getTime(), commit: this.decode(position, data) };
  }

  #found(ctx: Context | undefined, query: Query): Promise<StoredMsg | null> {
    const stream = this.names.stream;
    // Any replica answers a direct question, also one that has not got the latest message yet.
    const api = this.replicas === 1 ? this.jsm.direct : this.jsm.streams;
    return this.attempt(ctx, async () => {
      try {
        return await api.getMessage(stream, query);
      } catch (error) {
        if (codeOf(error) === codes.messageNotFound) return null;
        throw error;
      }
    });
  }

  /** The commit that a message holds, or undefined, and a line in the log, if it holds none. */
  decode(position: number, data: Uint8Array): WireCommit | undefined {
    try {
      return decodeCommit(data);
    } catch (error) {
      const where = { stream: this.names.stream, position };
      this.logger?.error('a message in an event log cannot be decoded, and is passed over', { ...where, err: error });
      return undefined;
    }
  }

  async #watchConnection(): Promise<void> {
    for await (const { type } of this.nc.status()) {
      if (type === 'disconnect') this.logger?.warn('the connection to NATS is lost; connecting again', {});
      if (type !== 'reconnect') continue;
      this.logger?.info('the connection to NATS is back', {});
      for (const then of this.#onReconnect) then();
    }
  }
}

/** The last event of a message; of one that cannot be decoded, what stands for it, so that the stream can go on. */
export function headOf({ position, commit }: Pick<Stored, 'position' | 'commit'>): Head {
  const count = commit?.events.length ?? 1;
  return { seq: position * maxCommit + count - 1, clock: commit?.clock ?? 0 };
}

function dial({ servers, user, pass, token, tls }: Address): Promise<NatsConnection> {
  return connect({
    servers: [...servers],
    name: 'samovar',
    timeout: connectTimeout,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 100,
    ...(user === undefined ? {} : { user, pass: pass ?? '' }),
    ...(token === undefined ? {} : { token }),
    ...(tls === undefined ? {} : { tls: tls === true ? {} : { caFile: tls } }),
  });
}

function asOpenError(error: unknown, { servers }: Address): Error {
  const where = servers.join(', ');
  if (isNotEnabled(error)) {
    return new LogUnavailableError(`the NATS server at ${where} has no JetStream: start it with -js`, { cause: error });
  }
  const known = asLogError(error);
  if (!(known instanceof LogUnavailableError)) return known;
  const why = error instanceof Error ? error.message : String(error);
  return new LogUnavailableError(`the event log on NATS at ${where} cannot be opened: ${why}`, { cause: error });
}
