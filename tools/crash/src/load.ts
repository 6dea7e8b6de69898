import type { SubscriptionOptions } from '@samovar/eda';

const streams = 5;

export const selector = 'crash.*';
export const delivery: SubscriptionOptions = { name: 'crash', durable: true, backfill: true, keyBy: 'stream' };

export function streamOf(n: number): string {
  return `crash.${n % streams}`;
}

export function keyOf(publisher: string, n: number): string {
  return `${publisher}.${n}`;
}
