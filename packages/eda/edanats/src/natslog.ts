import {
  type JetStreamClient,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
  type StoredMsg,
} from '@nats-io/jetstream';
import { type KV, Kvm } from '@nats-io/kv';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { type Context, throwIfDone } from '@samovar/context';
import { type ConnectOptions, type Logger, LogUnavailableError } from '@samovar/eda';
import { decodeCommit, type Head, loggerOf, maxCommit, type WireCommit } from '@samovar/edacore';
import { type NatsAddress, natsOptions } from '@samovar/nats';
import { codeOf, codes, isNotEnabled } from '@samovar/nats/jetstream';
import { Erasures } from './erasures.ts';
import { asLogError, isPassing } from './errors.ts';
import { eventsOf, type NatsEvent } from './event.ts';
import { Names, type Source } from './names.ts';
import { Publisher } from './publisher.ts';
import type { Pulled } from './puller.ts';
import { comparesRepeated, type Guard, guardOf, mayDisagree } from './replication.ts';
import { openStorage, type Storage } from './storage.ts';

/** Milliseconds: until connecting is given up, between attempts at anything, and until those are given up. */
const connectTimeout = 5_000;
const pause = 100;
const patience = 15_000;
/** Bytes of a message that are not payload. */
const overhead = 16 * 1024;

type Query = { readonly seq: number } | { readonly last_by_subj: string };

/** Where a message is, and when it was stored, in milliseconds. */
export interface Place {
  readonly position: number;
  readonly stored: number;
}

/** A stored message. */
export interface Stored extends Place {
  readonly subject: string;
  readonly commit: WireCommit | undefined;
}

/** An event log on a server, with one connection for all who use it in this process. */
export class NatsLog {
  readonly names: Names;
  readonly nc: NatsConnection;
  readonly jsm: JetStreamManager;
  readonly js: JetStreamClient;
  readonly publisher: Publisher;
  readonly erasures: Erasures;
  readonly logger: Logger | undefined;
  /** How heads are guarded, which holds also when the servers are replaced by later ones meanwhile. */
  readonly guard: Guard;
  readonly #storage: Storage;
  readonly #onReconnect = new Set<() => void>();
  #bucket: Promise<KV> | undefined;
  #isDown = false;

  private constructor(nc: NatsConnection, jsm: JetStreamManager, names: Names, storage: Storage, logger?: Logger) {
    this.nc = nc;
    this.jsm = jsm;
    this.js = jetstream(nc);
    this.names = names;
    this.#storage = storage;
    this.guard = guardOf(this.#version, storage.replicas);
    this.logger = logger;
    this.publisher = new Publisher(this);
    this.erasures = new Erasures(this);
    void this.#watchConnection();
  }

  /** @throws {LogUnavailableError} @throws {LogNotFoundError} @throws {NotALogError} */
  static async open(address: NatsAddress, cluster: string, options: ConnectOptions): Promise<NatsLog> {
    const logger = loggerOf(options);
    const names = new Names(cluster);
    let nc: NatsConnection | undefined;
    try {
      nc = await connect(natsOptions(address, connectTimeout));
      // Nothing is made that cannot be used.
      guardOf(nc.info?.version ?? '', options.replicas ?? 1);
      const jsm = await jetstreamManager(nc, { timeout: connectTimeout });
      const log = new NatsLog(nc, jsm, names, await openStorage(jsm, names, options), logger);
      await log.erasures.load();
      log.#warnOfServers();
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

  /** Whether the server looks at the expected head of what it has stored already under the same id. */
  get comparesRepeated(): boolean {
    return comparesRepeated(this.#version, this.replicas);
  }

  /** Bytes that what is stored in one message may have. */
  get maxBytes(): number {
    return (this.nc.info?.max_payload ?? 2 ** 20) - overhead;
  }

  /** Whether the connection is lost, and not back yet. */
  get isDown(): boolean {
    return this.#isDown;
  }

  /** Calls `then` after each reconnection, until the function returned is called. */
  onReconnect(then: () => void): () => void {
    this.#onReconnect.add(then);
    return () => this.#onReconnect.delete(then);
  }

  /**
   * Does what can be repeated until the server can do it. @throws {LogUnavailableError} when that takes more than `within`
   * milliseconds.
   */
  async attempt<T>(ctx: Context | undefined, action: () => Promise<T>, within = patience): Promise<T> {
    for (const began = performance.now(); ; ) {
      if (ctx !== undefined) throwIfDone(ctx);
      try {
        return await action();
      } catch (error) {
        if (!isPassing(error) || this.nc.isClosed() || performance.now() - began > within) throw asLogError(error);
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    }
  }

  /** The last message that a selector matches. */
  last(ctx: Context | undefined, selector: string): Promise<Stored | undefined> {
    return this.#message(ctx, { last_by_subj: this.names.subject(selector) });
  }

  /** The position of the last message of a source; 0 if there is none. */
  async lastPosition(ctx: Context | undefined, source: Source, within?: number): Promise<number> {
    return (await this.lastOf(ctx, source, within))?.position ?? 0;
  }

  /** Where the last message of a source is, and when it was stored, in milliseconds. */
  async lastOf(ctx: Context | undefined, { stream, subject }: Source, within?: number): Promise<Place | undefined> {
    const found = await this.#found(ctx, stream, { last_by_subj: subject }, within);
    return found === null ? undefined : { position: found.seq, stored: found.time.getTime() };
  }

  /** The message at this position. */
  at(ctx: Context | undefined, position: number): Promise<Stored | undefined> {
    return this.#message(ctx, { seq: position });
  }

  /** The position of the last message that was stored, be it erased or not. */
  async tip(ctx: Context | undefined): Promise<number> {
    return (await this.attempt(ctx, () => this.jsm.streams.info(this.names.stream))).state.last_seq;
  }

  async head(ctx: Context, stream: string): Promise<Head | undefined> {
    const stored = await this.last(ctx, stream);
    return stored === undefined || this.erasures.has(stream, stored.position) ? undefined : headOf(stored);
  }

  /** The events of a message, in log order; none if it is erased. */
  eventsIn({ position, subject, stored, commit }: Stored): NatsEvent[] {
    const stream = this.names.streamOf(subject);
    if (commit === undefined || this.erasures.has(stream, position)) return [];
    return eventsOf({ log: this.number, stream, position, acked: stored }, commit);
  }

  /** A message as a consumer has handed it over. */
  decoded({ position, stored, msg, data }: Pulled): Stored {
    return { position, subject: msg.subject, stored, commit: this.#decode(position, data) };
  }

  /** Makes what durable subscriptions are kept in, if it is not there. */
  bucket(): Promise<KV> {
    const { replicas } = this;
    this.#bucket ??= this.attempt(undefined, () => new Kvm(this.js).create(this.names.bucket, { replicas }));
    this.#bucket.catch(() => {
      this.#bucket = undefined;
    });
    return this.#bucket;
  }

  /** Deletes a message, if it is there. */
  async remove(ctx: Context | undefined, stream: string, position: number): Promise<void> {
    await this.attempt(ctx, async () => {
      try {
        await this.jsm.streams.deleteMessage(stream, position);
      } catch (error) {
        if (!codes.alreadyDeleted.has(codeOf(error) ?? 0)) throw error;
      }
    });
  }

  async close(): Promise<void> {
    this.publisher.close();
    if (this.nc.isClosed()) return;
    await Promise.race([this.nc.drain(), new Promise((resolve) => setTimeout(resolve, 1000))]).catch(() => {});
    await this.nc.close();
  }

  #warnOfServers(): void {
    if (!mayDisagree(this.#version, this.replicas)) return;
    const why = 'may give one position to two events when one is killed: use 2.12 or later';
    this.logger?.warn(`nats-servers of this version that keep a log together ${why}`, { version: this.#version });
  }

  get #version(): string {
    return this.nc.info?.version ?? '';
  }

  async #message(ctx: Context | undefined, query: Query): Promise<Stored | undefined> {
    const found = await this.#found(ctx, this.names.stream, query);
    if (found === null) return undefined;
    const { seq: position, subject, data, time } = found;
    return { position, subject, stored: time.getTime(), commit: this.#decode(position, data) };
  }

  #found(ctx: Context | undefined, stream: string, query: Query, within?: number): Promise<StoredMsg | null> {
    // Any replica answers a direct question, also one that has not got the latest message yet.
    const api = this.replicas === 1 ? this.jsm.direct : this.jsm.streams;
    return this.attempt(
      ctx,
      async () => {
        try {
          return await api.getMessage(stream, query);
        } catch (error) {
          if (codeOf(error) === codes.messageNotFound) return null;
          throw error;
        }
      },
      within,
    );
  }

  /** The commit that a message holds, or undefined, and a line in the log, if it holds none. */
  #decode(position: number, data: Uint8Array): WireCommit | undefined {
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
      if (type === 'disconnect') {
        this.#isDown = true;
        this.logger?.warn('the connection to NATS is lost; connecting again', {});
      }
      if (type !== 'reconnect') continue;
      this.#isDown = false;
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

function asOpenError(error: unknown, { servers }: NatsAddress): Error {
  const where = servers.join(', ');
  if (isNotEnabled(error)) {
    return new LogUnavailableError(`the NATS server at ${where} has no JetStream: start it with -js`, { cause: error });
  }
  const known = asLogError(error);
  if (!(known instanceof LogUnavailableError)) return known;
  const why = error instanceof Error ? error.message : String(error);
  return new LogUnavailableError(`the event log on NATS at ${where} cannot be opened: ${why}`, { cause: error });
}
