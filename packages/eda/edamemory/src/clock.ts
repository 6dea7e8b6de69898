/** What a log in memory knows of time. */
export interface MemoryClock {
  /** Milliseconds since 1970, which may jump. */
  now(): number;
  /** Milliseconds since some moment; they only grow. */
  elapsed(): number;
}

export const systemClock: MemoryClock = { now: () => Date.now(), elapsed: () => performance.now() };
