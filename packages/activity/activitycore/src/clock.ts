/** What an engine knows of time. */
export interface Clock {
  /** Milliseconds since 1970, which may jump. */
  now(): number;
  /** Calls `fn` once `ms` milliseconds have passed, unless the result is disposed before. */
  after(ms: number, fn: () => void): Disposable;
}

const longestTimer = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, fn) {
    let timer: NodeJS.Timeout;
    const wait = (left: number) => {
      const then = left > longestTimer ? () => wait(left - longestTimer) : fn;
      timer = setTimeout(then, Math.min(left, longestTimer));
    };
    wait(ms);
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
};
