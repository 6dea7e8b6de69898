import { type Context, throwIfDone } from '@samovar/context';
import { ClosedError, type EventId, type Handler, type Logger, type SubscriptionStatus } from '@samovar/eda';
import { idOf, Member, Members, maxCommit, type Terms, Waiters } from '@samovar/edacore';
import type { NatsLog } from '../natslog.ts';
import { durable, passing, remove, type Source } from './consumers.ts';
import { Delivering } from './delivering.ts';
import { Progress } from './progress.ts';
import type { Records } from './records.ts';

/** Milliseconds between the times that the position is stored for others to see, and until a lost consumer is made again. */
const storeTime = 1_000;
const retryTime = 500;

/** The members of one subscription in this process, and what delivers to them. */
export class Group {
  readonly terms: Terms;
  readonly #log: NatsLog;
  readonly #records: Records;
  readonly #onClosed: () => void;
  readonly #members = new Members();
  readonly #waiters = new Waiters();
  readonly #progress: Progress;
  /** Those whose handlers may be running, also when they have left. */
  readonly #everybody = new Set<Member>();
  #delivering: Delivering | undefined;
  #storing: NodeJS.Timeout | undefined;
  /** What changes who delivers, one after another. */
  #turning: Promise<void> = Promise.resolve();
  #started: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  #lastStatus: SubscriptionStatus | undefined;

  constructor(log: NatsLog, records: Records, terms: Terms, onClosed: () => void) {
    this.#log = log;
    this.#records = records;
    this.terms = terms;
    this.#onClosed = onClosed;
    this.#progress = new Progress(log, terms.selector.text, this.#waiters, () => this.#delivering);
  }

  /** Resolves when the group has stopped; undefined while it goes on. */
  get closing(): Promise<void> | undefined {
    return this.#closing;
  }

  /** The member is served once this has resolved; with `reset`, from the start position on, like all the others. */
  async join(handle: Handler, logger: Logger | undefined, reset: boolean): Promise<Member> {
    const isFirst = this.#started === undefined;
    const member = new Member(handle, logger);
    this.#members.add(member);
    this.#everybody.add(member);
    try {
      const turned = isFirst || reset ? this.#takeTurn(() => this.#start(reset)) : this.#started;
      this.#started ??= turned;
      await turned;
    } catch (error) {
      this.#members.remove(member);
      if (isFirst) await this.close(false);
      throw error;
    }
    this.#delivering?.dispatcher.resume();
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
    this.#closing ??= this.#close();
    await this.#closing;
    if (!drop || !this.terms.durable) return;
    const stored = await this.#records.peek(this.terms.name);
    if (stored === undefined) return;
    await this.#records.drop(this.terms.name);
    await remove(this.#log, stored.record);
  }

  async caughtUp(ctx: Context, member: Member, id: EventId | undefined): Promise<void> {
    throwIfDone(ctx);
    const { number } = this.#log;
    const target = id === undefined ? ((await this.#log.tip(ctx)) + 1) * maxCommit - 1 : idOf(number, 'id', id).seq;
    if (this.#closing !== undefined) throw new ClosedError(`subscription ${this.terms.name}`);
    await this.#progress.reach(ctx, member, target);
  }

  status(): SubscriptionStatus {
    if (this.#lastStatus !== undefined) return this.#lastStatus;
    const { inFlight, redelivered } = this.#delivering?.dispatcher ?? { inFlight: 0, redelivered: 0 };
    const { lag, lastAcked } = this.#delivering ?? { lag: 0, lastAcked: null };
    return { state: 'running', lag, inFlight, parked: 0, redelivered, lastAcked };
  }

  /** Runs `turn` when all turns before it are through. */
  #takeTurn(turn: () => Promise<void>): Promise<void> {
    const turned = this.#turning.then(turn);
    this.#turning = turned.catch(() => {});
    return turned;
  }

  async #start(reset: boolean): Promise<void> {
    const before = this.#delivering;
    if (before !== undefined) {
      await before.stop();
      await this.#allIdle();
      before.lose();
      this.#delivering = undefined;
    }
    this.#deliver(await this.#open(reset));
    if (this.terms.durable) this.#storing ??= setInterval(() => this.#storeSoon(), storeTime);
  }

  #open(reset: boolean): Promise<Source> {
    if (!this.terms.durable) return passing(this.#log, this.terms);
    return durable(this.#log, this.#records, this.terms, reset, this.#logger);
  }

  #deliver(source: Source, before?: Delivering): void {
    const parts = {
      log: this.#log,
      records: this.#records,
      terms: this.terms,
      members: this.#members,
      logger: () => this.#logger,
    };
    const delivering: Delivering = new Delivering(
      parts,
      source,
      {
        onProgress: () => this.#progress.poke(),
        onGone: () => void this.#takeTurn(() => this.#goOn(delivering)),
      },
      before,
    );
    this.#delivering = delivering;
  }

  /** Goes on after the consumer was lost: deleted by an operator, or by another process, which has reset or dropped it. */
  async #goOn(before: Delivering): Promise<void> {
    if (this.#delivering !== before || this.#closing !== undefined) return;
    try {
      const { record } = before.source;
      if (record === undefined) {
        this.#deliver(await passing(this.#log, this.terms, before.next), before);
        this.#report('the consumer of a subscription was deleted; it is made again where it was', undefined);
        return;
      }
      const source = await this.#open(false);
      const isSame = source.record?.generation === record.generation;
      if (!isSame) before.dispatcher.stop();
      this.#deliver(source, isSame ? before : undefined);
    } catch (error) {
      this.#report('making the consumer of a subscription again failed', error);
      setTimeout(() => void this.#takeTurn(() => this.#goOn(before)), retryTime);
    }
  }

  #storeSoon(): void {
    this.#takeTurn(() => this.#store()).catch((error: unknown) => {
      this.#report('storing the position of a subscription failed', error);
    });
  }

  /** Stores the last event up to which everything is acknowledged, if that is further than what is stored. */
  async #store(): Promise<void> {
    const { source, lastAcked } = this.#delivering ?? {};
    if (source?.record === undefined || lastAcked == null) return;
    const stored = await this.#records.peek(this.terms.name);
    if (stored === undefined || stored.record.generation !== source.record.generation) return;
    if (stored.record.lastAcked !== null && stored.record.lastAcked >= lastAcked) return;
    await this.#records.store({ ...stored.record, lastAcked }, stored);
  }

  async #close(): Promise<void> {
    this.#members.clear();
    clearInterval(this.#storing);
    this.#waiters.reject(new ClosedError(`subscription ${this.terms.name}`));
    await this.#turning;
    const delivering = this.#delivering;
    try {
      await delivering?.stop();
      await this.#allIdle();
      await delivering?.finish();
      await this.#store();
    } catch (error) {
      this.#report('storing the position of a subscription failed; some events will come again', error);
    }
    this.#lastStatus = { ...this.status(), state: 'closed' };
    if (delivering?.source.record === undefined && delivering !== undefined && !this.#log.nc.isClosed()) {
      this.#log.jsm.consumers.delete(this.#log.names.stream, delivering.source.consumer).catch(() => {});
    }
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
