import type { Context } from '@samovar/context';
import { type EventId, HeadConflictError } from '@samovar/eda';
import { encodeId, maxCommit, type Seq } from './ids.ts';

/** An event to store, checked and encoded. Empty texts are null. */
export interface NewRow {
  /** As `kindOf` gives it, not yet marked as the last of its commit. */
  readonly kind: number;
  readonly type: string;
  readonly data: Uint8Array | string | null;
  readonly time: number;
  readonly schema: string | null;
  readonly aggregate: string | null;
  readonly cause: EventId | null;
  /** JSON. */
  readonly meta: string | null;
}

/** The head that a publisher expects. */
export interface ExpectedHead {
  /** 0: the stream is empty. An event that is not the last of its commit is no stream's head, and so never matches. */
  readonly seq: Seq;
  readonly clock: number;
  readonly id: EventId | null;
}

/** The last event of a stream; always the last of its commit. */
export interface Head {
  readonly seq: Seq;
  readonly clock: number;
}

/** One commit on its way into the log. */
export class Append<Result = EventId | EventId[]> {
  readonly promise: Promise<Result>;
  readonly ctx: Context;
  readonly stream: string;
  readonly client: string | null;
  readonly rows: readonly NewRow[];
  /** The payloads' size: at most their bytes, at least a third of them. */
  readonly size: number;
  readonly key: string | undefined;
  readonly #expected: ExpectedHead | undefined;
  readonly #single: boolean;
  #resolve!: (result: Result) => void;
  #reject!: (error: unknown) => void;

  constructor(
    commit: Pick<Append, 'ctx' | 'stream' | 'client' | 'rows' | 'size' | 'key'>,
    expected: ExpectedHead | undefined,
    single: boolean,
  ) {
    this.ctx = commit.ctx;
    this.stream = commit.stream;
    this.client = commit.client;
    this.rows = commit.rows;
    this.size = commit.size;
    this.key = commit.key;
    this.#expected = expected;
    this.#single = single;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  get expected(): ExpectedHead | undefined {
    return this.#expected;
  }

  /** The error to fail with if `head` is not the expected one. */
  conflict(log: number, head: Head | undefined): HeadConflictError | undefined {
    const expected = this.#expected;
    if (expected === undefined) return undefined;
    if (head === undefined ? expected.id === null : expected.seq === head.seq && expected.clock === head.clock) {
      return undefined;
    }
    const stored = head === undefined ? null : encodeId(log, head.seq, true, head.clock);
    return new HeadConflictError(this.stream, stored, expected.id);
  }

  /** Answers with the ids of the `count` events from `seq` on: the stored ones, or those stored first with this key. */
  stored(log: number, seq: Seq, count: number, clock: number): void {
    this.#resolve((this.#single ? encodeId(log, seq, count === 1, clock) : idsOf(log, seq, count, clock)) as Result);
  }

  fail(error: unknown): void {
    this.#reject(error);
  }
}

function idsOf(log: number, seq: Seq, count: number, clock: number): EventId[] {
  const ids: EventId[] = [];
  for (let i = 0; i < count; i++) ids.push(encodeId(log, seq + i, i === count - 1, clock));
  return ids;
}

/** The first event of the commit at `position`. @throws {RangeError} beyond 2^42 commits. */
export function firstSeq(position: number): Seq {
  if (!(position < 2 ** 42)) throw new RangeError(`this log cannot hold more than 2^42 commits`);
  return position * maxCommit;
}
