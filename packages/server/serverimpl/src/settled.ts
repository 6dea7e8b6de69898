/** Whether `promise` resolves before `ms` milliseconds are over and before `hurry` is aborted. */
export async function settledWithin(promise: Promise<unknown>, ms: number, hurry?: AbortSignal): Promise<boolean> {
  const { promise: over, resolve } = Promise.withResolvers<false>();
  const giveUp = () => resolve(false);
  const timer = setTimeout(giveUp, ms);
  hurry?.addEventListener('abort', giveUp, { once: true });
  try {
    if (hurry?.aborted) giveUp();
    return await Promise.race([promise.then(() => true), over]);
  } finally {
    clearTimeout(timer);
    hurry?.removeEventListener('abort', giveUp);
  }
}
