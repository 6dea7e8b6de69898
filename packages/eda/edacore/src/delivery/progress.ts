import type { Context } from '@samovar/context';
import { ClosedError, ParkedError, type SubscriptionStatus } from '@samovar/eda';
import type { Backend, LogEvent } from '../backend.ts';
import type { Seq } from '../ids.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { Lease } from './lease.ts';
import type { Terms } from './options.ts';
import { Standing } from './standing.ts';
import { Waiters } from './waiters.ts';

/** Milliseconds between the looks at whether what somebody waits for is there still. */
const waitingPoll = 1000;
const idle = { inFlight: 0, redelivered: 0 };

/** How far a subscription has come, whoever delivers it, and who waits for that. */
export class Progress {
  /** That of this process, while it has a part. */
  dispatcher: Dispatcher | undefined;
  readonly standing: Standing | undefined;
  readonly #backend: Backend;
  readonly #terms: Terms;
  readonly #lease: Lease | undefined;
  readonly #onError: (error: unknown) => void;
  readonly #waiters = new Waiters();
  #watch: NodeJS.Timeout | undefined;
  #ended = false;

  /** `lease`: of a durable subscription. `onError` is told of what fails while somebody waits. */
  constructor(backend: Backend, terms: Terms, lease: Lease | undefined, onError: (error: unknown) => void) {
    this.#backend = backend;
    this.#onError = onError;
    this.#terms = terms;
    this.#lease = lease;
    this.standing = lease && new Standing(backend, terms);
  }

  get figures(): Omit<SubscriptionStatus, 'state'> {
    const { inFlight, redelivered } = this.dispatcher ?? idle;
    const source = this.#isAlone ? this.dispatcher?.position : this.standing;
    const parked = this.dispatcher?.parking.parked ?? this.standing?.parked.count() ?? 0;
    return { lag: source?.lag ?? 0, inFlight, parked, redelivered, lastAcked: source?.offset?.last ?? null };
  }

  /** Resolves when every matching event up to `target` is acknowledged; `owner` may give up. @throws {ParkedError} @throws {ClosedError} */
  async wait(ctx: Context, owner: object, target: Seq): Promise<void> {
    if (this.#low >= target) return;
    const parked = await this.#parkedUpTo(target);
    if (parked !== undefined) throw new ParkedError(this.#terms.name, parked.id);
    if (this.#low >= target) return;
    if (this.#ended) throw new ClosedError(`subscription ${this.#terms.name}`);
    const reached = this.#waiters.wait(ctx, owner, target);
    this.dispatcher?.position.front.lookAgain();
    this.#watch ??= setTimeout(() => void this.#lookForGone(), waitingPoll);
    await reached;
  }

  /** Ends the waiting of `owner`, or of all for good. */
  stopWaiting(owner?: object): void {
    this.#ended ||= owner === undefined;
    if (this.#ended) clearTimeout(this.#watch);
    this.#waiters.reject(new ClosedError(`subscription ${this.#terms.name}`), owner);
  }

  /** This process has come further. */
  reached(): void {
    const [front, first] = [this.dispatcher?.position.front, this.#waiters.first];
    // Asked for each event: most often what is waited for was not even taken from the log yet.
    if (front?.isHere && first !== undefined && first < front.next) this.#waiters.reached(this.#low);
  }

  /** These events are parked now. */
  async parked(seqs: readonly Seq[]): Promise<void> {
    if (!this.#waiters.any || seqs.length === 0) return;
    for (const event of await this.#backend.at(seqs)) this.#fail(event);
  }

  /** Others may have come further, or have parked something. */
  async look(): Promise<void> {
    if (!this.#waiters.any) return;
    this.#waiters.reached(this.#low);
    const parked = await this.#parkedUpTo(Number.MAX_SAFE_INTEGER);
    if (parked !== undefined) this.#fail(parked);
  }

  /** Tells those who wait for what does not exist any more: nothing may be left up to there that is not acknowledged. */
  async #lookForGone(): Promise<void> {
    try {
      for (let first = this.#waiters.first; first !== undefined; first = this.#waiters.first) {
        if (this.#low < (await this.#backend.reach(this.#terms.selector, first))) break;
        this.#waiters.reached(first);
      }
      this.dispatcher?.position.front.lookAgain();
    } catch (error) {
      if (!this.#ended) this.#onError(error);
    }
    this.#watch = this.#waiters.any ? setTimeout(() => void this.#lookForGone(), waitingPoll) : undefined;
  }

  #fail({ seq, id }: LogEvent): void {
    this.#waiters.parked(seq, new ParkedError(this.#terms.name, id));
  }

  /** The first matching event up to `target` that is parked. */
  async #parkedUpTo(target: Seq): Promise<LogEvent | undefined> {
    return (this.dispatcher?.requests ?? this.standing)?.firstParked(target);
  }

  get #low(): Seq {
    return (this.dispatcher?.position.front.isHere ? this.dispatcher.position : this.standing)?.low ?? 0;
  }

  /** Whether no other process has a part in the subscription, as far as this one knows. */
  get #isAlone(): boolean {
    return this.dispatcher !== undefined && (this.#lease?.isAlone ?? true);
  }
}
