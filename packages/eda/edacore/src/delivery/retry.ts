const first = 100;
const longest = 30_000;

/** Milliseconds until an event is due again after `attempts` failures: doubling, with jitter so that failures spread. */
export function retryDelay(attempts: number): number {
  const full = Math.min(longest, first * 2 ** (attempts - 1));
  return Math.round(full * (0.5 + Math.random() / 2));
}
