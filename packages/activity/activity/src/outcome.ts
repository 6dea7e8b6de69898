import type { EventId } from '@samovar/eda';

/** The last event that an activity is through with; null: none, it begins at the first. */
export type Tail = EventId | null;

/** How a run of an activity has ended, and where the next one begins: behind `tail`. */
export type Outcome =
  | { readonly kind: 'completed' | 'endOfStream' | 'canceled'; readonly tail: Tail }
  | { readonly kind: 'retry'; readonly tail: Tail; readonly error: Error };

/** The work is done for good: the activity is never started again, not after a restart either. */
export function completed(tail: Tail): Outcome {
  return { kind: 'completed', tail };
}

/** All there was is done, and more may come: the next run begins when it does. */
export function endOfStream(tail: Tail): Outcome {
  return { kind: 'endOfStream', tail };
}

/** The context was done. On a shutdown the activity stops; otherwise it is run again, which nobody is told. */
export function canceled(tail: Tail): Outcome {
  return { kind: 'canceled', tail };
}

/**
 * Something failed that may succeed later: the activity is run again after a pause that grows with each failure in a row
 * and begins anew when `tail` has moved. `error` is logged, unless it is a {@link SilentRetry} or a
 * {@link SilentRetryAfter}.
 */
export function retry(tail: Tail, error: Error): Outcome {
  return { kind: 'retry', tail, error };
}

/** To be tried again without a line in the log: for what is expected to fail now and then. */
export class SilentRetry extends Error {
  override readonly name = 'SilentRetry';
}

/** Likewise, and not before `after`. */
export class SilentRetryAfter extends Error {
  override readonly name = 'SilentRetryAfter';
  readonly after: Date;

  constructor(after: Date, message = `not before ${after.toISOString()}`, options?: ErrorOptions) {
    super(message, options);
    this.after = after;
  }
}

/** Whether this, or what caused it, is a SilentRetry or a SilentRetryAfter, also one of another copy of this module. */
export function isSilentRetry(error: unknown): boolean {
  return find(error, 'SilentRetry') !== undefined || isSilentRetryAfter(error);
}

/** Whether this, or what caused it, is a SilentRetryAfter, also one of another copy of this module. */
export function isSilentRetryAfter(error: unknown): boolean {
  return retryAfter(error) !== undefined;
}

/** When a SilentRetryAfter, this one or its cause, wants the next try. */
export function retryAfter(error: unknown): Date | undefined {
  const found = find(error, 'SilentRetryAfter') as Partial<SilentRetryAfter> | undefined;
  const { after } = found ?? {};
  return after instanceof Date && !Number.isNaN(after.getTime()) ? after : undefined;
}

const longestChain = 16;

function find(error: unknown, name: string): Error | undefined {
  let at = error;
  for (let depth = 0; depth < longestChain && at instanceof Error; depth++) {
    if (at.name === name) return at;
    at = at.cause;
  }
  return undefined;
}
