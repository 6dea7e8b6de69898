import {
  type ActivityKey,
  entityStream,
  type Lease,
  type Peers,
  type Tail,
  type WorkerLeases,
} from '@samovar/activity';
import { type Clock, PeersNews, systemClock } from '@samovar/activitycore';
import { Leases } from '@samovar/api/entities/v1/leases';
import { background, type Context, throwIfDone, withTimeout } from '@samovar/context';
import type { EventId, Logger } from '@samovar/eda';
import { v4 as uuid } from 'uuid';
import { wireRef } from '../wire/entity.ts';
import { peersOf } from '../wire/peers.ts';
import type { Channel } from './channel.ts';

/** Signs of life in a lease's time. */
const beats = 6;
const joinMs = 10_000;
const leaveMs = 2_000;
const { method } = Leases;

/** The leases of this worker, which its server holds for it. It gives signs of life from the first claim on. */
export class RemoteLeases implements WorkerLeases {
  readonly #channel: Channel;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #worker = uuid();
  readonly #news = new PeersNews();
  readonly #turns = new Map<string, Promise<unknown>>();
  #joining: Promise<void> | undefined;
  #timer: Disposable | undefined;
  #isSilent = false;
  #closing: Promise<void> | undefined;

  constructor(channel: Channel, logger: Logger, clock: Clock = systemClock) {
    this.#channel = channel;
    this.#logger = logger;
    this.#clock = clock;
  }

  async claim(ctx: Context, activity: ActivityKey): Promise<Lease | undefined> {
    return await this.#inTurn(ctx, activity, async () => {
      await this.#join();
      const { lease } = await this.#channel.call(ctx, method.claim, {
        worker: this.#worker,
        activity: wireKey(activity),
      });
      if (lease === undefined) return undefined;
      const tail = lease.tail === '' ? null : (lease.tail as EventId);
      return { activity, epoch: Number(lease.epoch), tail, isCompleted: lease.completed };
    });
  }

  async storeTail(ctx: Context, lease: Lease, tail: Tail): Promise<void> {
    const request = { ...this.#wireLease(lease), tail: tail ?? '' };
    await this.#inTurn(ctx, lease.activity, () => this.#channel.call(ctx, method.storeTail, request));
  }

  async complete(ctx: Context, lease: Lease, tail: Tail): Promise<void> {
    const request = { ...this.#wireLease(lease), tail: tail ?? '' };
    await this.#inTurn(ctx, lease.activity, () => this.#channel.call(ctx, method.complete, request));
  }

  async release(ctx: Context, lease: Lease): Promise<void> {
    const request = this.#wireLease(lease);
    await this.#inTurn(ctx, lease.activity, () => this.#channel.call(ctx, method.release, request));
  }

  onPeers(listener: (peers: Peers) => void): Disposable {
    return this.#news.listen(listener);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #wireLease({ activity, epoch }: Lease) {
    return { worker: this.#worker, activity: wireKey(activity), epoch: BigInt(epoch) };
  }

  /** What is asked of one activity is asked one after another: calls on their own may overtake each other. */
  async #inTurn<T>(ctx: Context, { entity, name }: ActivityKey, ask: () => Promise<T>): Promise<T> {
    throwIfDone(ctx);
    if (this.#closing !== undefined) throw new TypeError('the leases are closed');
    const key = `${entityStream(entity)}/${name}`;
    const asked = (this.#turns.get(key) ?? Promise.resolve()).then(ask);
    const turn = asked.catch(() => {});
    this.#turns.set(key, turn);
    try {
      return await asked;
    } finally {
      if (this.#turns.get(key) === turn) this.#turns.delete(key);
    }
  }

  /** Resolves when the server knows this worker, and it gives signs of life. */
  #join(): Promise<void> {
    this.#joining ??= this.#beat(joinMs).catch((error: unknown) => {
      this.#joining = undefined;
      throw error;
    });
    return this.#joining;
  }

  /** @throws whatever keeps the server from answering within so many milliseconds. */
  async #beat(ms: number): Promise<void> {
    using scope = withTimeout(background, ms);
    const answer = await this.#channel.call(scope.ctx, method.heartbeat, { worker: this.#worker });
    const peers = peersOf(answer);
    if (peers !== undefined) this.#news.tell(peers);
    this.#beatLater(answer.leaseMs / beats);
  }

  #beatLater(ms: number): void {
    if (this.#closing === undefined) this.#timer = this.#clock.after(ms, () => void this.#beatAgain(ms));
  }

  async #beatAgain(ms: number): Promise<void> {
    try {
      await this.#beat(ms * 2);
      this.#isSilent = false;
    } catch (error) {
      if (!this.#isSilent) {
        this.#logger.warn('this worker cannot tell its server that it is alive: it may lose its leases of activities', {
          err: error,
        });
      }
      this.#isSilent = true;
      this.#beatLater(ms);
    }
  }

  async #close(): Promise<void> {
    this.#timer?.[Symbol.dispose]();
    if (this.#joining === undefined) return;
    await Promise.all(this.#turns.values());
    try {
      using scope = withTimeout(background, leaveMs);
      await this.#channel.call(scope.ctx, method.leave, { worker: this.#worker });
    } catch (error) {
      this.#logger.warn('the leases of this worker could not be given back: they run out', { err: error });
    }
  }
}

function wireKey({ entity, name }: ActivityKey) {
  return { entity: wireRef(entity), name };
}
