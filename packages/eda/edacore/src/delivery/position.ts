import type { EventId } from '@samovar/eda';
import type { Seq } from '../ids.ts';
import type { Offset, Pending } from '../stored.ts';
import { Front } from './front.ts';
import { LastAcked, lastResolved } from './lastacked.ts';
import type { Parking } from './parking.ts';
import { Timers } from './retry.ts';
import { pendingOf, Unacked } from './unacked.ts';
import type { Supervisor, Work } from './work.ts';

/** Milliseconds until the log is read again after that failed. */
export const afterError = 1000;

/** Where a subscription stands: what is new, what this process was handed of it, and how far all is acknowledged. */
export class Position {
  readonly front: Front;
  readonly unacked: Unacked;
  readonly #work: Work;
  readonly #parking: Parking;
  readonly #supervisor: Supervisor;
  readonly #onMore: () => void;
  readonly #lastAcked: LastAcked;
  readonly #timers = new Timers();
  #isOpening = false;
  #stopped = false;

  /** `last` is that of `lastAtBegin`. `onMore` is called when there may be something to take at the front. */
  constructor(work: Work, parking: Parking, supervisor: Supervisor, last: EventId | null, onMore: () => void) {
    const { offset, front } = work;
    this.#work = work;
    this.#parking = parking;
    this.#supervisor = supervisor;
    this.#onMore = onMore;
    this.#lastAcked = new LastAcked(beginningOf(work, supervisor), () => supervisor.onProgress(1));
    this.unacked = new Unacked(offset.acked, last);
    this.front = new Front(offset.high);
    if (front !== undefined) this.#open(front);
  }

  /** How many matching events are not acknowledged, if no other process has any. */
  get lag(): number {
    const open = this.unacked.size + this.#parking.size;
    return open + this.front.behind(this.unacked.acked + open);
  }

  /** Every matching event up to here is acknowledged, as far as the process at the front knows. */
  get low(): Seq {
    const first = Math.min(this.unacked.first?.event.seq ?? this.front.next, this.front.next);
    return Math.min(first, this.#firstAside ?? first) - 1;
  }

  /** What there is to store. */
  get offset(): Offset {
    const { high, next, isHere } = this.front;
    const pending = [...[...this.unacked].map(pendingOf), ...this.#parking.trying].sort(([a], [b]) => a - b);
    const { size, acked, lastResolved } = this.unacked;
    return {
      high: size === 0 ? Math.max(high, next - 1) : high,
      pending,
      acked,
      last: isHere ? this.#lastAcked.of(lastResolved, this.#firstAside) : null,
    };
  }

  /** What is new is behind `high`, and for this process to hand out; or, with undefined, for another one. */
  goOnFrom(high: Seq | undefined): void {
    if (high === undefined) this.front.leave();
    else if (this.front.isHere) this.front.resume();
    else if (!this.#isOpening && !this.#stopped) void this.#openBehind(high);
  }

  /** What others have stored counts as well: what they left to this process, and how many events they acknowledged. */
  takeUp(pending: readonly Pending[], acked: number): void {
    this.unacked.acknowledgeOthers(acked);
    this.#parking.takeUp(pending);
  }

  stop(): void {
    this.#stopped = true;
    this.front.stop();
    this.#timers.clear();
  }

  /** The first event that is parked, waits, is tried again or is with another process. */
  get #firstAside(): Seq | undefined {
    const [here, elsewhere] = [this.#parking.first, this.#supervisor.firstElsewhere];
    return here === undefined || elsewhere === undefined ? (here ?? elsewhere) : Math.min(here, elsewhere);
  }

  #open(high: Seq): void {
    const { backend, terms } = this.#work;
    const feed = backend.feed(terms.selector, high, {
      onMore: this.#onMore,
      onPassed: (more) => {
        if (more) this.#onMore();
        this.#supervisor.onProgress(0);
      },
      onError: (error) => this.#supervisor.onError(error),
    });
    this.front.open(feed, high);
  }

  async #openBehind(high: Seq): Promise<void> {
    const { backend, terms } = this.#work;
    this.#isOpening = true;
    try {
      const last = await backend.lastUpTo(terms.selector, high);
      if (this.#stopped) return;
      if (last !== undefined) this.unacked.pass(last);
      this.#open(high);
      this.#isOpening = false;
      this.#onMore();
    } catch (error) {
      this.#supervisor.onError(error);
      this.#timers.add(afterError, () => {
        this.#isOpening = false;
      });
    }
  }
}

/** The last event up to which everything is acknowledged, parked, waiting or elsewhere, where delivering begins. */
export async function lastAtBegin(work: Work, supervisor: Supervisor): Promise<EventId | null> {
  return work.front === undefined ? work.offset.last : lastResolved(beginningOf(work, supervisor));
}

function beginningOf(work: Work, { firstElsewhere }: Supervisor): Work & { readonly elsewhere: Seq | undefined } {
  return { ...work, elsewhere: firstElsewhere };
}
