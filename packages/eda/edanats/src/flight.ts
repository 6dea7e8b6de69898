import { throwIfDone } from '@samovar/context';
import { type Append, decodeId, firstSeq, type Head } from '@samovar/edacore';
import { codes } from '@samovar/nats/jetstream';
import { type ApiError, isFull } from './errors.ts';

/** No stream is here. */
const nowhere = Number.MAX_SAFE_INTEGER;

/** A commit on its way to the server. */
export interface Flight {
  readonly append: Append;
  readonly subject: string;
  readonly payload: Uint8Array;
  /** As NATS writes them. */
  readonly headers: string;
  readonly id: string;
  readonly clock: number;
  /** Where its stream's last message is to be. */
  readonly head: number | undefined;
  /** When it was sent first; 0: never. */
  first: number;
  /** Whether it was sent again without an answer, so that it may be stored already. */
  repeated: boolean;
  /** Its place in the order of sending, and where the log's last message was to be, when it was sent last. */
  place: number;
  end: number;
  /** When it was sent, as `performance.now()` tells it. */
  sent: number;
}

/** A position that the log has, as an answer tells it, be it of the stream or of all. */
export function endIn({ error, seq }: Answer): number {
  return error === undefined ? seq : Number(/wrong last sequence: (\d+)/.exec(error.description)?.[1] ?? 0);
}

/** What the server says of a publication. */
export interface Answer {
  readonly seq: number;
  readonly duplicate?: boolean;
  readonly error?: ApiError;
}

/** Whether the server may answer otherwise soon: nobody leads the log, or what has the same id is about to be stored. */
export function isPassingAnswer({ error }: Answer): boolean {
  if (error === undefined) return false;
  return error.err_code === codes.repeatedTooSoon || (error.code === 503 && !isFull(error));
}

/** Where the stream's last commit is to be; an event that is not the last of its commit is no head. */
export function positionOf(expected: NonNullable<Append['expected']>): number {
  if (expected.id === null) return 0;
  return decodeId(expected.id).last ? Math.floor(expected.seq / firstSeq(1)) : nowhere;
}

/** Where the message of a stream's head is; 0: nowhere. */
export function headPosition(head: Head | undefined): number {
  return head === undefined ? 0 : Math.floor(head.seq / firstSeq(1));
}

/** Whether nobody waits for it any more; then it has failed. */
export function isDone({ append }: Flight): boolean {
  try {
    throwIfDone(append.ctx);
    return false;
  } catch (error) {
    append.fail(error);
    return true;
  }
}
