import {
  MemoryParked,
  type ParkedRequest,
  type Seq,
  type StoredSubscription,
  type Subscriptions,
} from '@samovar/edacore';

/** Durable subscriptions, for as long as the log lives. */
export class MemorySubscriptions implements Subscriptions {
  readonly #stored = new Map<string, StoredSubscription>();
  readonly #parked = new Map<string, MemoryParked>();
  #epoch = 0;

  ready(): Promise<void> {
    return Promise.resolve();
  }

  all(): [name: string, stored: StoredSubscription][] {
    return [...this.#stored];
  }

  peek(name: string): StoredSubscription | undefined {
    return this.#stored.get(name);
  }

  async change(name: string, change: Parameters<Subscriptions['change']>[1]): Promise<StoredSubscription | undefined> {
    const changed = change(this.#stored.get(name), () => ++this.#epoch);
    if (changed === undefined) return undefined;
    const { parked, ...stored } = changed;
    this.#stored.set(name, stored);
    if (parked === 'none') this.parked(name).clear();
    else if (parked !== undefined) this.parked(name).apply(parked);
    return stored;
  }

  drop(name: string): Promise<void> {
    this.#stored.delete(name);
    this.#parked.get(name)?.clear();
    return Promise.resolve();
  }

  parked(name: string): MemoryParked {
    const parked = this.#parked.get(name) ?? new MemoryParked();
    this.#parked.set(name, parked);
    return parked;
  }

  request(name: string, seqs: readonly Seq[], request: ParkedRequest): Promise<Seq[]> {
    return Promise.resolve(this.parked(name).request(seqs, request));
  }
}
