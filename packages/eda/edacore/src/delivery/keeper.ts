import { maxCommit, type Seq } from '../ids.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { Lease, Storing } from './lease.ts';

/** Acknowledgements stored together, at most: how many, and for how many milliseconds they wait for others. */
const groupSize = 1000;
const groupTime = 100;
/** Commits without a matching event that are worth storing the offset, so that they are not looked through again. */
const passed = 10_000;
/** Milliseconds between looks at what other processes have stored, when there are others, and when there are none. */
const lookTime = { shared: 20, alone: 100 };

/** What a keeper tells the group it works for. */
export interface KeeperEvents {
  /** What was to be stored is stored; these events are parked by that. */
  onStored(parked: readonly Seq[]): void;
  /** Other processes may have stored something. */
  onLooked(): void;
  /** Another process has taken over. */
  onLost(): void;
  onError(error: unknown): void;
}

/** Stores a dispatcher's part of a subscription, in groups, as long as this process holds the lease; sees what others store. */
export class Keeper {
  readonly lease: Lease;
  readonly #dispatcher: Dispatcher;
  readonly #events: KeeperEvents;
  readonly #renewal: NodeJS.Timeout | undefined;
  #looking: NodeJS.Timeout | undefined;
  #unstored = 0;
  #storedLow = 0;
  /** Whether it is stored that there is room for more. */
  #wants: boolean;
  #timer: NodeJS.Timeout | undefined;
  #storing: Promise<void> | undefined;
  #over = false;
  #closing = false;
  #failing = false;
  #pausing = false;

  /** `leaseMs`: Infinity if there are no other processes. */
  constructor(lease: Lease, leaseMs: number, dispatcher: Dispatcher, events: KeeperEvents) {
    this.lease = lease;
    this.#dispatcher = dispatcher;
    this.#events = events;
    this.#wants = lease.front === undefined;
    if (leaseMs === Number.POSITIVE_INFINITY) return;
    this.#renewal = setInterval(() => this.#store(), leaseMs / 3);
    this.#lookLater();
  }

  /** Whether this process still has its part, as far as is stored. */
  isActive(): boolean {
    try {
      const wasAlone = this.lease.isAlone;
      if (!this.lease.look()) this.#lose();
      // While a storing is under way, or has failed, it is open who is to hand out what is new.
      else if (this.#storing === undefined && !this.#failing) this.#goOn(wasAlone);
    } catch (error) {
      this.#failed(error);
      return false;
    }
    return !this.#over;
  }

  /** Whether a handler may start: not when more than a group might have to be repeated, nor without the lease. */
  mayStart(inFlight: number): boolean {
    if (this.lease.isValid && (this.#unstored === 0 || this.#unstored + inFlight < groupSize)) return true;
    this.#store();
    return false;
  }

  /** `count` events were acknowledged or wait, or a part without matching events passed. */
  onProgress(count: number): void {
    this.#unstored += count;
    if (count === 0 && this.#dispatcher.position.low - this.#storedLow < passed * maxCommit) return;
    if (this.#unstored >= groupSize) this.#store();
    else this.#storeSoon();
  }

  /** An event is parked, or is not any more: stores it now, or with what comes next. */
  onParked(): void {
    this.#unstored++;
    if (this.#storing === undefined) this.#store();
    else this.#storeSoon();
  }

  /** The dispatcher has all that it can do for now, and there is more: lets another process go on, if one wants to. */
  onFull(): void {
    if (this.lease.front !== undefined && this.lease.isWanted) this.#store({ move: 'pass' });
  }

  /** The dispatcher has room for what another process has yet to hand out. */
  onRoom(): void {
    if (!this.#wants) this.#store();
  }

  /** Nothing new is handed out here any more: lets another process do so as soon as one wants to. */
  close(): void {
    this.#closing = true;
    this.onFull();
  }

  /** Stores the part as it is now and gives it back. */
  async finish(): Promise<void> {
    this.stop();
    await this.#storing;
    const { parking, position } = this.#dispatcher;
    const { offset } = position;
    if ((await this.lease.store(offset, parking.begin(), { move: 'leave' })) === undefined) this.#events.onLost();
    else parking.stored();
  }

  /** Stores nothing any more. */
  stop(): void {
    this.#over = true;
    clearInterval(this.#renewal);
    clearTimeout(this.#looking);
    clearTimeout(this.#timer);
  }

  #lookLater(): void {
    this.#looking = setTimeout(() => this.#look(), this.lease.isAlone ? lookTime.alone : lookTime.shared);
  }

  #look(): void {
    if (this.isActive() && !this.lease.isAlone) {
      this.#dispatcher.resume();
      if (this.#closing) this.onFull();
      if (this.lease.isDue) this.#store();
      this.#events.onLooked();
    }
    if (!this.#over) this.#lookLater();
  }

  #storeSoon(): void {
    this.#timer ??= setTimeout(() => this.#store(), groupTime);
  }

  #store(how: Storing = {}): void {
    if (this.#over || this.#pausing) return;
    this.#storing ??= this.#storeNow(how).finally(() => {
      this.#storing = undefined;
      if (!this.#over) this.#dispatcher.resume();
    });
  }

  async #storeNow({ move }: Storing): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const dispatcher = this.#dispatcher;
    const count = this.#unstored;
    const { position, parking, wants } = dispatcher;
    if (move === 'pass') position.front.pause();
    const { low, offset } = position;
    const wasAlone = this.lease.isAlone;
    try {
      const kept = await this.lease.store(offset, parking.begin(), { wants, move });
      if (kept === undefined) return this.#lose();
      position.takeUp(kept.taken, kept.ackedElsewhere);
      this.#events.onStored(parking.stored());
      if (this.#over) return;
      this.#goOn(wasAlone);
      this.#unstored -= count;
      this.#storedLow = low;
      this.#wants = wants;
      this.#failing = false;
    } catch (error) {
      parking.failed();
      this.#failed(error);
    }
  }

  /** With what is stored now, whoever stored it. */
  #goOn(wasAlone: boolean): void {
    if (!wasAlone || !this.lease.isAlone) this.#dispatcher.refresh();
    this.#dispatcher.position.goOnFrom(this.lease.front);
  }

  #lose(): void {
    if (this.#over) return;
    this.stop();
    this.#events.onLost();
  }

  /** Tries again later. Said once, until it works again. */
  #failed(error: unknown): void {
    if (!this.#failing) this.#events.onError(error);
    this.#failing = true;
    if (this.#over || this.#pausing) return;
    this.#pausing = true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#pausing = false;
      this.#store();
    }, groupTime);
  }
}
