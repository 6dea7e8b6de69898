import { MemoryParked, type StoredSubscription } from '@samovar/edacore';
import { changeOf, type Entry, type Segment } from './segments.ts';

/** A durable subscription as the bucket holds it. What it has parked is what its segments say, one after another. */
export interface SubscriptionRecord extends StoredSubscription {
  readonly name: string;
  readonly segments: readonly Segment[];
  /** Tells one write of the record from all others. */
  readonly write: string;
}

/** A record, or that there is none any more, and since which revision of the bucket. */
interface Version {
  readonly revision: number;
  readonly record: SubscriptionRecord | undefined;
}

/** A segment that this process has seen. */
interface Seen {
  readonly revision: number;
  readonly entries: readonly Entry[];
}

/** What this process has of one subscription in the bucket. */
export class Kept {
  readonly parked = new MemoryParked();
  readonly #segments = new Map<string, Seen>();
  #shown: Version = { revision: 0, record: undefined };
  #newest = this.#shown;
  #folded: readonly Segment[] = [];

  get record(): SubscriptionRecord | undefined {
    return this.#shown.record;
  }

  /** The revision that `record` has; 0: there never was one. */
  get revision(): number {
    return this.#shown.revision;
  }

  /** Whether there is a newer record, of which segments are missing: one that is newer still does not list them. */
  get isBehind(): boolean {
    return this.#newest !== this.#shown;
  }

  put(revision: number, record: SubscriptionRecord | undefined): void {
    if (revision <= this.#newest.revision) return;
    this.#newest = { revision, record };
    if (this.missing.length === 0) this.show();
  }

  putSegment(id: string, { revision, entries }: Seen): void {
    if (revision > this.#shown.revision) this.#segments.set(id, { revision, entries });
  }

  /** The newest record's segments that are not here. */
  get missing(): string[] {
    return (this.#newest.record?.segments ?? []).map(([id]) => id).filter((id) => !this.#segments.has(id));
  }

  /** Answers with the entries of these segments of the record. */
  entriesOf(segments: readonly Segment[]): Entry[] {
    return segments.flatMap(([id]) => this.#segments.get(id)?.entries ?? []);
  }

  /** What the revision of a segment of the record is. */
  revisionOf([id]: Segment): number | undefined {
    return this.#segments.get(id)?.revision;
  }

  /** Takes the newest record for what is stored, whatever is missing. */
  show(): void {
    this.#shown = this.#newest;
    const segments = this.#shown.record?.segments ?? [];
    this.#fold(segments);
    const listed = new Set(segments.map(([id]) => id));
    // No later record can list what this one does not.
    for (const [id, { revision }] of this.#segments) {
      if (revision < this.#shown.revision && !listed.has(id)) this.#segments.delete(id);
    }
  }

  #fold(segments: readonly Segment[]): void {
    let same = 0;
    while (same < segments.length && segments[same]?.[0] === this.#folded[same]?.[0]) same++;
    // Where the first segment is another one, what it does not mention is gone; others mention whatever they changed.
    if (same === 0) this.parked.clear();
    this.parked.apply(changeOf(this.entriesOf(segments.slice(same))));
    this.#folded = segments;
  }
}
