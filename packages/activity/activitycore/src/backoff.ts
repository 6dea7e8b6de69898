const firstMs = 100;
const longestMs = 60_000;

/** Whole milliseconds of pause after so many failures in a row: doubling, with jitter so that failures spread. */
export function backoff(failures: number): number {
  const full = Math.min(longestMs, firstMs * 2 ** (failures - 1));
  return Math.ceil(full * (0.5 + Math.random() / 2));
}
