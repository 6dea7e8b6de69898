import { type Context, throwIfDone } from '@samovar/context';
import {
  ClosedError,
  type EventId,
  type Handler,
  type Logger,
  ParkedError,
  type SubscriptionStatus,
} from '@samovar/eda';
import type { Backend, LogEvent } from '../backend.ts';
import { idOf } from '../checks.ts';
import type { Seq } from '../ids.ts';
import type { Offset } from '../stored.ts';
import { Dispatcher, type Supervisor } from './dispatcher.ts';
import { Keeper } from './keeper.ts';
import { type Claim, Lease } from './lease.ts';
import { Member } from './member.ts';
import { Members } from './members.ts';
import { MemoryParked } from './memoryparked.ts';
import type { Terms } from './options.ts';
import { Standing } from './standing.ts';
import { Waiters } from './waiters.ts';

/** Milliseconds between the looks of a standby at whether it is its turn. */
const standbyPoll = 100;
/** Milliseconds between the looks at whether what somebody waits for is there still. */
const waitingPoll = 1000;
/** Milliseconds until the log is read again after that failed. */
const afterError = 1000;
const idle = { inFlight: 0, redelivered: 0 };

/** The members of one subscription in this process, what delivers to them, and where it stands. */
export class Group {
  readonly terms: Terms;
  readonly #backend: Backend;
  readonly #onClosed: () => void;
  readonly #members = new Members();
  readonly #waiters = new Waiters();
  readonly #lease: Lease | undefined;
  readonly #standing: Standing | undefined;
  /** Those whose handlers may be running, also when they have left. */
  readonly #everybody = new Set<Member>();
  #dispatcher: Dispatcher | undefined;
  #keeper: Keeper | undefined;
  #poll: NodeJS.Timeout | undefined;
  #watch: NodeJS.Timeout | undefined;
  /** What changes who delivers, one after another. */
  #turning: Promise<void> = Promise.resolve();
  #started: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  #lastStatus: Omit<SubscriptionStatus, 'state'> | undefined;

  /** `owner` names this process. */
  constructor(backend: Backend, terms: Terms, owner: string, onClosed: () => void) {
    this.#backend = backend;
    this.terms = terms;
    this.#onClosed = onClosed;
    this.#lease = terms.durable ? new Lease(backend, terms, owner) : undefined;
    this.#standing = terms.durable ? new Standing(backend, terms) : undefined;
  }

  /** Resolves when the group has stopped; undefined while it goes on. */
  get closing(): Promise<void> | undefined {
    return this.#closing;
  }

  /** The member is served once this has resolved; with `reset`, from the start position on, like all the others. */
  async join(handle: Handler, logger: Logger | undefined, reset: boolean): Promise<Member> {
    const isFirst = this.#started === undefined;
    const begins = isFirst || reset;
    // One that is stored looks for its start in the transaction, and only if it has none.
    const start = begins && this.#lease === undefined ? this.#startPosition() : undefined;
    const fresh = () => start ?? this.#startPosition();
    const member = new Member(handle, logger);
    this.#members.add(member);
    this.#everybody.add(member);
    try {
      const turned = begins ? this.#takeTurn(() => this.#start(fresh, reset)) : this.#started;
      this.#started ??= turned;
      await turned;
    } catch (error) {
      this.#members.remove(member);
      if (isFirst) await this.close(false);
      else if (this.#dispatcher === undefined) this.#standBy();
      throw error;
    }
    this.#dispatcher?.resume();
    return member;
  }

  /** Resolves when the member's handlers have settled, and, if it was the last one, the position is stored. */
  async leave(member: Member): Promise<void> {
    this.#members.remove(member);
    this.#waiters.reject(new ClosedError(`subscription ${this.terms.name}`), member);
    if (!this.#members.any) return this.close(false);
    await member.idle();
    this.#everybody.delete(member);
  }

  /** Resolves when every handler has settled and the position is stored, or, with `drop`, forgotten. */
  async close(drop: boolean): Promise<void> {
    this.#closing ??= this.#close(drop);
    await this.#closing;
    if (drop && this.#lease !== undefined) await this.#backend.subscriptions.drop(this.terms.name);
  }

  async caughtUp(ctx: Context, member: Member, id: EventId | undefined): Promise<void> {
    throwIfDone(ctx);
    const seq = id === undefined ? undefined : idOf(this.#backend.number, 'id', id).seq;
    const target = await this.#backend.reach(this.terms.selector, seq);
    this.lookAtRequests();
    if (this.#low >= target) return;
    const parked = await this.#parkedUpTo(target);
    if (parked !== undefined) throw new ParkedError(this.terms.name, parked.id);
    if (this.#low >= target) return;
    if (this.#closing !== undefined) throw new ClosedError(`subscription ${this.terms.name}`);
    const caughtUp = this.#waiters.wait(ctx, member, target);
    this.#dispatcher?.lookAgain();
    this.#watch ??= setTimeout(() => void this.#lookForGone(), waitingPoll);
    await caughtUp;
  }

  status(): SubscriptionStatus {
    if (this.#lastStatus !== undefined) return { state: 'closed', ...this.#lastStatus };
    const { isBlocked } = this.#dispatcher ?? { isBlocked: false };
    const state = isBlocked ? 'blocked' : 'running';
    return { state: this.#dispatcher === undefined ? 'standby' : state, ...this.#figures() };
  }

  /** Something may be requested of parked events. */
  lookAtRequests(): void {
    this.#dispatcher?.requests.look();
  }

  #figures(): Omit<SubscriptionStatus, 'state'> {
    const { inFlight, redelivered } = this.#dispatcher ?? idle;
    const offset = this.#dispatcher?.offset ?? this.#standing?.offset;
    const lag = this.#dispatcher?.lag ?? this.#standing?.lag ?? 0;
    const parked = this.#dispatcher?.parking.parked ?? this.#standing?.parked.count() ?? 0;
    return { lag, inFlight, parked, redelivered, lastAcked: offset?.last ?? null };
  }

  /** The first matching event up to `target` that is parked. */
  async #parkedUpTo(target: Seq): Promise<LogEvent | undefined> {
    return (this.#dispatcher?.requests ?? this.#standing)?.firstParked(target);
  }

  /** Tells those who wait for what does not exist any more: nothing may be left up to there that is not acknowledged. */
  async #lookForGone(): Promise<void> {
    try {
      for (let first = this.#waiters.first; first !== undefined; first = this.#waiters.first) {
        if (this.#low < (await this.#backend.reach(this.terms.selector, first))) break;
        this.#waiters.reached(first);
      }
      this.#dispatcher?.lookAgain();
    } catch (error) {
      if (this.#closing === undefined) this.#report('reading the log for a subscription failed', error);
    }
    this.#watch = this.#waiters.any ? setTimeout(() => void this.#lookForGone(), waitingPoll) : undefined;
  }

  get #low(): Seq {
    return this.#dispatcher?.low ?? this.#standing?.low ?? 0;
  }

  async #startPosition(): Promise<Offset> {
    if (this.terms.backfill) return { high: 0, pending: [], acked: 0, last: null };
    return this.#backend.atEnd(this.terms.selector);
  }

  /** Runs `turn` when all turns before it are through. */
  #takeTurn(turn: () => Promise<void>): Promise<void> {
    const turned = this.#turning.then(turn);
    this.#turning = turned.catch(() => {});
    return turned;
  }

  async #start(fresh: () => Promise<Offset>, reset: boolean): Promise<void> {
    this.#stopDelivering();
    if (reset) await this.#allIdle();
    if (this.#lease === undefined) return this.#deliver(await fresh());
    await this.#backend.subscriptions.ready();
    const claim = await this.#lease.claim(fresh, reset);
    if (claim === undefined) this.#standBy();
    else await this.#goOn(claim);
  }

  async #goOn({ offset, changed }: Claim): Promise<void> {
    if (Object.keys(changed).length > 0) {
      this.#logger?.info('a subscription goes on with other options', { subscription: this.terms.name, changed });
    }
    await this.#deliver(offset);
  }

  async #deliver(offset: Offset): Promise<void> {
    const parked = this.#standing?.parked ?? new MemoryParked();
    const stored = () => this.#lease === undefined && this.#keepInMemory(parked as MemoryParked);
    const supervisor: Supervisor = {
      isActive: () => this.#keeper === undefined || this.#keeper.isActive(),
      mayStart: (inFlight) => this.#keeper === undefined || this.#keeper.mayStart(inFlight),
      onProgress: (count) => {
        if (this.#dispatcher !== dispatcher) return;
        this.#keeper?.onProgress(count);
        stored();
        if (this.#waiters.any) this.#waiters.reached(dispatcher.low);
      },
      onParked: () => {
        if (this.#dispatcher !== dispatcher) return;
        this.#keeper?.onParked();
        stored();
        if (this.#waiters.any) this.#waiters.reached(dispatcher.low);
      },
      onError: (error) => {
        this.#report('reading the log for a subscription failed', error);
        setTimeout(() => dispatcher.resume(), afterError);
      },
    };
    const work = { backend: this.#backend, terms: this.terms, members: this.#members, offset, parked };
    const dispatcher = await Dispatcher.begin(work, supervisor);
    this.#dispatcher = dispatcher;
    if (this.#lease !== undefined) this.#keeper = this.#newKeeper(this.#lease, dispatcher);
    dispatcher.requests.look();
  }

  #newKeeper(lease: Lease, dispatcher: Dispatcher): Keeper {
    return new Keeper(lease, this.#backend.leaseMs, () => dispatcher, {
      onStored: (parked) => this.#parked(dispatcher, parked),
      onLost: () => {
        if (this.#dispatcher !== dispatcher || this.#closing !== undefined) return;
        this.#report('another process has taken over a subscription, or dropped it', undefined);
        this.#stopDelivering();
        this.#standBy();
      },
      onError: (error) => this.#report('storing the offset of a subscription failed', error),
    });
  }

  /** What is parked by a subscription that is not durable is stored nowhere else. */
  #keepInMemory(parked: MemoryParked): void {
    const dispatcher = this.#dispatcher;
    if (dispatcher === undefined || !dispatcher.parking.hasChanges) return;
    parked.apply(dispatcher.parking.begin());
    this.#parked(dispatcher, dispatcher.parking.stored());
  }

  /** Tells those who wait for an event that is parked now. */
  #parked(dispatcher: Dispatcher, seqs: readonly Seq[]): void {
    if (seqs.length === 0) return;
    dispatcher.requests.look();
    if (!this.#waiters.any) return;
    this.#backend.at(seqs).then(
      (events) => {
        for (const { seq, id } of events) this.#waiters.parked(seq, new ParkedError(this.terms.name, id));
      },
      (error: unknown) => this.#report('reading the log for a subscription failed', error),
    );
  }

  /** Those in flight go on; whether they succeed is not looked at any more, unless the group is closing. */
  #stopDelivering(): void {
    clearTimeout(this.#poll);
    this.#keeper?.stop();
    this.#dispatcher?.stop();
    this.#keeper = undefined;
    this.#dispatcher = undefined;
  }

  #standBy(): void {
    clearTimeout(this.#poll);
    this.#poll = setTimeout(() => void this.#takeTurn(() => this.#takeOver()), standbyPoll);
  }

  /** Delivers, if nobody else does any more. */
  async #takeOver(): Promise<void> {
    if (this.#closing !== undefined || this.#dispatcher !== undefined) return;
    try {
      const claim = await this.#lease?.claim(() => this.#startPosition(), false);
      if (claim !== undefined) return await this.#goOn(claim);
      if (this.#waiters.any) await this.#tellWaiters();
    } catch (error) {
      this.#report('taking over a subscription failed', error);
    }
    this.#standBy();
  }

  /** While another process delivers. */
  async #tellWaiters(): Promise<void> {
    this.#waiters.reached(this.#low);
    const parked = await this.#parkedUpTo(Number.MAX_SAFE_INTEGER);
    if (parked !== undefined) this.#waiters.parked(parked.seq, new ParkedError(this.terms.name, parked.id));
  }

  async #close(drop: boolean): Promise<void> {
    this.#members.clear();
    this.#waiters.reject(new ClosedError(`subscription ${this.terms.name}`));
    await this.#turning;
    const [dispatcher, keeper] = [this.#dispatcher, this.#keeper];
    clearTimeout(this.#poll);
    clearTimeout(this.#watch);
    dispatcher?.stop();
    await this.#allIdle();
    try {
      if (drop) keeper?.stop();
      else await keeper?.finish();
    } catch (error) {
      this.#report('storing the offset of a subscription failed; some events will come again', error);
    }
    try {
      this.#lastStatus = this.#figures();
    } catch (error) {
      this.#lastStatus = { lag: 0, parked: 0, lastAcked: null, ...idle };
      this.#report('reading the log for a subscription failed', error);
    }
    this.#stopDelivering();
    this.#onClosed();
  }

  async #allIdle(): Promise<void> {
    for (const member of this.#everybody) await member.idle();
  }

  get #logger(): Logger | undefined {
    return this.#members.first?.logger ?? [...this.#everybody][0]?.logger;
  }

  #report(message: string, error: unknown): void {
    this.#logger?.warn(message, { subscription: this.terms.name, ...(error === undefined ? {} : { err: error }) });
  }
}
