import type { ParkedChange, ParkedRow, Seq } from '@samovar/edacore';

/** What becomes of one event: parked or, with null, not any more; or, with its key, whether it waits. */
export type Entry = readonly [seq: Seq, row: ParkedRow | null] | readonly [seq: Seq, key: string, waits: boolean];

/** As a record lists a segment: where it is stored, and how many entries it has. */
export type Segment = readonly [id: string, size: number];

export function entriesOf({ parked, waiting }: ParkedChange): Entry[] {
  return [...parked, ...[...waiting].map(([seq, { key, waits }]) => [seq, key, waits] as const)];
}

/** Later entries are the last word. */
export function changeOf(entries: readonly Entry[]): ParkedChange {
  const parked = new Map<Seq, ParkedRow | null>();
  const waiting = new Map<Seq, { readonly key: string; readonly waits: boolean }>();
  for (const entry of entries) {
    if (entry.length === 2) parked.set(entry[0], entry[1]);
    else waiting.set(entry[0], { key: entry[1], waits: entry[2] });
  }
  return { parked, waiting };
}

/** The same as `entries`, each event once; with `isAll`, nothing is said of events that are neither parked nor wait. */
export function condensed(entries: readonly Entry[], isAll: boolean): Entry[] {
  const left = entriesOf(changeOf(entries));
  return isAll ? left.filter((entry) => (entry.length === 2 ? entry[1] !== null : entry[2])) : left;
}

/**
 * How many segments of these sizes stay as they are when `added` entries come. The others are written anew with them, so
 * that each segment is larger than all behind it together, and an entry is not written often.
 */
export function unmerged(sizes: readonly number[], added: number): number {
  let [count, behind] = [sizes.length, added];
  for (let size = sizes[count - 1]; size !== undefined && size <= behind; size = sizes[--count - 1]) behind += size;
  return count;
}

/** `entries` in parts whose JSON has at most `most` bytes, unless a single entry has more. */
export function parted(entries: readonly Entry[], most: number): Entry[][] {
  const parts: Entry[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const entry of entries) {
    const size = Buffer.byteLength(JSON.stringify(entry)) + 1;
    if (bytes + size > most) {
      parts.push([]);
      bytes = 2;
    }
    parts.at(-1)?.push(entry);
    bytes += size;
  }
  return parts;
}
