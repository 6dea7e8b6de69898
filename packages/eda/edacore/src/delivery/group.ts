import { type Context, throwIfDone } from '@samovar/context';
import type { EventId, Handler, Logger, SubscriptionStatus } from '@samovar/eda';
import type { Backend } from '../backend.ts';
import { idOf } from '../checks.ts';
import type { Seq } from '../ids.ts';
import type { Offset } from '../stored.ts';
import { Dispatcher } from './dispatcher.ts';
import { Keeper } from './keeper.ts';
import { type Claim, Lease } from './lease.ts';
import { Member } from './member.ts';
import { Members } from './members.ts';
import { MemoryParked } from './memoryparked.ts';
import type { Terms } from './options.ts';
import { afterError } from './position.ts';
import { Progress } from './progress.ts';
import type { Supervisor } from './work.ts';

/** Milliseconds between the looks of a standby at whether it is its turn. */
const standbyPoll = 100;
const nothing = { lag: 0, inFlight: 0, parked: 0, redelivered: 0, lastAcked: null };

/** The members of one subscription in this process, what delivers to them, and where it stands. */
export class Group {
  readonly terms: Terms;
  readonly #backend: Backend;
  readonly #onClosed: () => void;
  readonly #members = new Members();
  readonly #lease: Lease | undefined;
  readonly #progress: Progress;
  /** Those whose handlers may be running, also when they have left. */
  readonly #everybody = new Set<Member>();
  #keeper: Keeper | undefined;
  #poll: NodeJS.Timeout | undefined;
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
    this.#progress = new Progress(backend, terms, this.#lease, (error) => this.#reportReading(error));
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
    this.#progress.stopWaiting(member);
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
    await this.#progress.wait(ctx, member, target);
  }

  status(): SubscriptionStatus {
    if (this.#lastStatus !== undefined) return { state: 'closed', ...this.#lastStatus };
    const { isBlocked } = this.#dispatcher ?? { isBlocked: false };
    const state = isBlocked ? 'blocked' : 'running';
    return { state: this.#dispatcher === undefined ? 'standby' : state, ...this.#progress.figures };
  }

  /** Something may be requested of parked events. */
  lookAtRequests(): void {
    this.#dispatcher?.requests.look();
  }

  get #dispatcher(): Dispatcher | undefined {
    return this.#progress.dispatcher;
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
    const parked = this.#progress.standing?.parked ?? new MemoryParked();
    const lease = this.#lease;
    const onStored = () => {
      if (lease === undefined) this.#keepInMemory(parked as MemoryParked);
      this.#progress.reached();
    };
    const supervisor: Supervisor = {
      get processes() {
        return lease?.processes ?? 1;
      },
      get firstElsewhere() {
        return lease?.firstElsewhere;
      },
      isActive: () => this.#keeper === undefined || this.#keeper.isActive(),
      mayStart: (inFlight) => this.#keeper === undefined || this.#keeper.mayStart(inFlight),
      onProgress: (count) => {
        if (this.#dispatcher !== dispatcher) return;
        this.#keeper?.onProgress(count);
        onStored();
      },
      onParked: () => {
        if (this.#dispatcher !== dispatcher) return;
        this.#keeper?.onParked();
        onStored();
      },
      onFull: () => this.#keeper?.onFull(),
      onRoom: () => this.#keeper?.onRoom(),
      onError: (error) => {
        this.#reportReading(error);
        setTimeout(() => dispatcher.resume(), afterError);
      },
    };
    const front = lease === undefined ? offset.high : lease.front;
    const work = { backend: this.#backend, terms: this.terms, members: this.#members, offset, parked, front };
    const dispatcher = await Dispatcher.begin(work, supervisor);
    this.#progress.dispatcher = dispatcher;
    if (this.#lease !== undefined) this.#keeper = this.#newKeeper(this.#lease, dispatcher);
    dispatcher.requests.look();
  }

  #newKeeper(lease: Lease, dispatcher: Dispatcher): Keeper {
    return new Keeper(lease, this.#backend.leaseMs, dispatcher, {
      onStored: (parked) => this.#parked(dispatcher, parked),
      onLooked: () => void this.#progress.look().catch((error: unknown) => this.#reportReading(error)),
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

  #parked(dispatcher: Dispatcher, seqs: readonly Seq[]): void {
    if (seqs.length > 0) dispatcher.requests.look();
    this.#progress.parked(seqs).catch((error: unknown) => this.#reportReading(error));
  }

  /** Those in flight go on; whether they succeed is not looked at any more, unless the group is closing. */
  #stopDelivering(): void {
    clearTimeout(this.#poll);
    this.#keeper?.stop();
    this.#dispatcher?.stop();
    this.#keeper = undefined;
    this.#progress.dispatcher = undefined;
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
      await this.#progress.look();
    } catch (error) {
      this.#report('taking over a subscription failed', error);
    }
    this.#standBy();
  }

  async #close(drop: boolean): Promise<void> {
    this.#members.clear();
    this.#progress.stopWaiting();
    await this.#turning;
    const [dispatcher, keeper] = [this.#dispatcher, this.#keeper];
    clearTimeout(this.#poll);
    dispatcher?.stop();
    keeper?.close();
    await this.#allIdle();
    try {
      if (drop) keeper?.stop();
      else await keeper?.finish();
    } catch (error) {
      this.#report('storing the offset of a subscription failed; some events will come again', error);
    }
    try {
      this.#lastStatus = this.#progress.figures;
    } catch (error) {
      this.#lastStatus = nothing;
      this.#reportReading(error);
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

  #reportReading(error: unknown): void {
    this.#report('reading the log for a subscription failed', error);
  }

  #report(message: string, error: unknown): void {
    this.#logger?.warn(message, { subscription: this.terms.name, ...(error === undefined ? {} : { err: error }) });
  }
}
