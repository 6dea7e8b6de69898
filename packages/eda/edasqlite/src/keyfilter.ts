/** Bits for a generation: 2 MiB, enough for a million keys before one in a hundred of other keys is taken for one. */
const bits = 2 ** 24;
const probes = 3;
/** The current generation and those before it: one more than the table keeps, as others may have turned it unseen. */
const kept = 4;

/**
 * Which idempotency keys may be in the table, so that it need not be asked for each new one. It never says no to a key
 * that it was told of, until generations enough have passed; and only says no at all when it was told of every key.
 */
export class KeyFilter {
  /** A Bloom filter for each generation, the current one first; undefined: without keys. */
  readonly #generations: (Uint32Array | undefined)[] = Array.from({ length: kept });
  /** Generations until nothing is left of what it was not told of. */
  #unknown = kept;

  /** From here on it is told of every key: there is none yet. */
  beginEmpty(): void {
    this.#unknown = 0;
  }

  /** Some keys were missed. */
  miss(): void {
    this.#generations.fill(undefined);
    this.#unknown = kept;
  }

  /** A new generation begins, or several have begun. */
  turn(): void {
    this.#generations.pop();
    this.#generations.unshift(undefined);
    if (this.#unknown > 0) this.#unknown--;
  }

  /** A key of this stream is, or soon will be, found in the table only. */
  add(stream: number, key: string): void {
    this.#generations[0] ??= new Uint32Array(bits / 32);
    const words = this.#generations[0];
    const [hash, step] = hashes(stream, key);
    for (let i = 0; i < probes; i++) {
      const bit = (hash + Math.imul(i, step)) >>> 0;
      const at = (bit % bits) >>> 5;
      words[at] = (words[at] as number) | (1 << (bit & 31));
    }
  }

  mayHave(stream: number, key: string): boolean {
    if (this.#unknown > 0) return true;
    const [hash, step] = hashes(stream, key);
    return this.#generations.some((words) => words !== undefined && has(words, hash, step));
  }
}

function has(words: Uint32Array, hash: number, step: number): boolean {
  for (let i = 0; i < probes; i++) {
    const bit = (hash + Math.imul(i, step)) >>> 0;
    if (((words[(bit % bits) >>> 5] as number) & (1 << (bit & 31))) === 0) return false;
  }
  return true;
}

/** Two 32-bit hashes: FNV-1a, and the same stirred once more, odd so that all probes differ. */
function hashes(stream: number, key: string): readonly [number, number] {
  let hash = Math.imul(0x811c9dc5 ^ stream, 0x01000193);
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  const other = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return [hash ^ (hash >>> 16), (other ^ (other >>> 16)) | 1];
}
