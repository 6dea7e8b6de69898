import type { Seq } from '../ids.ts';
import type { Parked, ParkedChange, ParkedRequest, ParkedRow } from '../stored.ts';

/** What is parked, in this process's memory. */
export class MemoryParked implements Parked {
  readonly #rows = new Map<Seq, ParkedRow>();
  /** Of the rows, in log order. */
  readonly #seqs: Seq[] = [];
  /** In log order, as they come in it. */
  readonly #waiting = new Map<string, Seq[]>();

  rows(after: Seq, limit: number): ParkedRow[] {
    const from = indexBehind(this.#seqs, after);
    return this.#seqs.slice(from, from + limit).map((seq) => this.#rows.get(seq) as ParkedRow);
  }

  requested(limit: number): ParkedRow[] {
    const rows = [...this.#rows.values()].filter(({ request }) => request !== '');
    return rows.sort((a, b) => a.seq - b.seq).slice(0, limit);
  }

  waiting(key: string, after: Seq, limit: number): Seq[] {
    const seqs = this.#waiting.get(key) ?? [];
    const from = indexBehind(seqs, after);
    return seqs.slice(from, from + limit);
  }

  waitingKeys(after: string | undefined, limit: number): string[] {
    const keys = [...this.#waiting.keys()].filter((key) => after === undefined || key > after);
    return keys.sort().slice(0, limit);
  }

  firstWaiting(): Seq | undefined {
    let first: Seq | undefined;
    for (const [seq] of this.#waiting.values()) {
      if (seq !== undefined && (first === undefined || seq < first)) first = seq;
    }
    return first;
  }

  count(): number {
    let count = 0;
    for (const { request } of this.#rows.values()) if (request === '') count++;
    return count;
  }

  countWaiting(): number {
    let count = 0;
    for (const seqs of this.#waiting.values()) count += seqs.length;
    return count;
  }

  apply({ parked, waiting }: ParkedChange): void {
    for (const [seq, row] of parked) {
      keep(this.#seqs, seq, row !== null);
      if (row === null) this.#rows.delete(seq);
      else this.#rows.set(seq, row);
    }
    for (const [seq, { key, waits }] of waiting) this.#setWaiting(key, seq, waits);
  }

  clear(): void {
    this.#rows.clear();
    this.#seqs.length = 0;
    this.#waiting.clear();
  }

  /** As `Subscriptions.request` says. */
  request(seqs: readonly Seq[], request: ParkedRequest): Seq[] {
    const others = seqs.filter((seq) => this.#rows.get(seq)?.request !== '');
    if (others.length > 0) return others;
    for (const seq of seqs) this.#rows.set(seq, { ...(this.#rows.get(seq) as ParkedRow), request });
    return [];
  }

  #setWaiting(key: string, seq: Seq, waits: boolean): void {
    const seqs = this.#waiting.get(key) ?? [];
    keep(seqs, seq, waits);
    if (seqs.length === 0) this.#waiting.delete(key);
    else this.#waiting.set(key, seqs);
  }
}

/** Has `seq` among the others, in order, or not. */
function keep(seqs: Seq[], seq: Seq, isThere: boolean): void {
  const at = indexBehind(seqs, seq - 1);
  if ((seqs[at] === seq) !== isThere) seqs.splice(at, isThere ? 0 : 1, ...(isThere ? [seq] : []));
}

/** Where what is behind `after` begins. */
function indexBehind(seqs: readonly Seq[], after: Seq): number {
  let [low, high] = [0, seqs.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((seqs[middle] as Seq) <= after) low = middle + 1;
    else high = middle;
  }
  return low;
}
