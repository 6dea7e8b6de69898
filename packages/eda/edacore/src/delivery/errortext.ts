const longest = 500;

/** What an operator reads of `error`, on one line. It is stored with the log, as what handlers throw is logged. */
export function errorText(error: unknown): string {
  const text = error instanceof Error ? error.message || error.name : String(error);
  return text
    .replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .slice(0, longest)
    .toWellFormed();
}
