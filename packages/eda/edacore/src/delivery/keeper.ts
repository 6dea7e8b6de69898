import { maxCommit, type Seq } from '../ids.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { Lease } from './lease.ts';

/** Acknowledgements stored together, at most: how many, and for how many milliseconds they wait for others. */
const groupSize = 1000;
const groupTime = 100;
/** Commits without a matching event that are worth storing the offset, so that they are not looked through again. */
const passed = 10_000;

/** What a keeper tells the group it works for. */
export interface KeeperEvents {
  /** What was to be stored is stored; these events are parked by that. */
  onStored(parked: readonly Seq[]): void;
  /** Another process has taken over. */
  onLost(): void;
  onError(error: unknown): void;
}

/** Stores the offset of a dispatcher, in groups, as long as this process holds the lease. */
export class Keeper {
  readonly #lease: Lease;
  readonly #dispatcher: () => Dispatcher;
  readonly #events: KeeperEvents;
  readonly #renewal: NodeJS.Timeout | undefined;
  #unstored = 0;
  #storedLow = 0;
  #timer: NodeJS.Timeout | undefined;
  #storing: Promise<void> | undefined;
  #over = false;
  #failing = false;
  #pausing = false;

  constructor(lease: Lease, leaseMs: number, dispatcher: () => Dispatcher, events: KeeperEvents) {
    this.#lease = lease;
    this.#dispatcher = dispatcher;
    this.#events = events;
    if (leaseMs !== Number.POSITIVE_INFINITY) this.#renewal = setInterval(() => this.#store(), leaseMs / 3);
  }

  /** Whether no other process has taken over, as far as is stored. */
  isActive(): boolean {
    try {
      if (this.#lease.isHeld()) return true;
      this.#lose();
    } catch (error) {
      this.#failed(error);
    }
    return false;
  }

  /** Whether a handler may start: not when more than a group might have to be repeated, nor without the lease. */
  mayStart(inFlight: number): boolean {
    if (this.#lease.isValid && (this.#unstored === 0 || this.#unstored + inFlight < groupSize)) return true;
    this.#store();
    return false;
  }

  /** `count` events were acknowledged or wait, or a part without matching events passed. */
  onProgress(count: number): void {
    this.#unstored += count;
    if (count === 0 && this.#dispatcher().low - this.#storedLow < passed * maxCommit) return;
    if (this.#unstored >= groupSize) this.#store();
    else this.#timer ??= setTimeout(() => this.#store(), groupTime);
  }

  /** An event is parked, or is not any more: stores it now, or with what comes next. */
  onParked(): void {
    this.#unstored++;
    if (this.#storing === undefined) this.#store();
    else this.#timer ??= setTimeout(() => this.#store(), groupTime);
  }

  /** Stores the offset as it is now and gives the lease back. */
  async finish(): Promise<void> {
    this.stop();
    await this.#storing;
    const { offset, parking } = this.#dispatcher();
    if (!(await this.#lease.store(offset, parking.begin(), true))) this.#events.onLost();
    else parking.stored();
  }

  /** Stores nothing any more. */
  stop(): void {
    this.#over = true;
    clearInterval(this.#renewal);
    clearTimeout(this.#timer);
  }

  #store(): void {
    if (this.#over || this.#pausing) return;
    this.#storing ??= this.#storeNow().finally(() => {
      this.#storing = undefined;
      if (!this.#over) this.#dispatcher().resume();
    });
  }

  async #storeNow(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const dispatcher = this.#dispatcher();
    const count = this.#unstored;
    const { low, offset, parking } = dispatcher;
    try {
      if (!(await this.#lease.store(offset, parking.begin(), false))) this.#lose();
      else this.#events.onStored(parking.stored());
      this.#unstored -= count;
      this.#storedLow = low;
      this.#failing = false;
    } catch (error) {
      parking.failed();
      this.#failed(error);
    }
  }

  #lose(): void {
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
