import { setTimeout as delay } from 'node:timers/promises';
import { type Conn, type EventId, LogUnavailableError, type SubscriptionOptions } from '@samovar/eda';
import { connect } from '@samovar/edaimpl';

/** What a publisher was promised: its event number `n` is stored as `id`. */
export interface Acknowledged {
  readonly n: number;
  readonly id: EventId;
}

/** What a subscriber has handled: the event number `n` of the publisher `name`. */
export interface Handled {
  readonly id: EventId;
  readonly name: string;
  readonly n: number;
  /** When, in nanoseconds of the machine's clock, which all its processes share. */
  readonly at: number;
}

export const streams = 16;
export const selector = 'crash.*';
export const delivery: SubscriptionOptions = { name: 'crash', durable: true, backfill: true, keyBy: 'stream' };

export function streamOf(n: number): string {
  return `crash.${n % streams}`;
}

export function keyOf(publisher: string, n: number): string {
  return `${publisher}.${n}`;
}

/** Milliseconds that whoever serves the log may be away, and between attempts to reach it. */
const patience = 60_000;
const pause = 100;

/** @throws {LogUnavailableError} if nobody serves the log for too long. */
export async function connected(url: string, replicas = 1): Promise<Conn> {
  for (const began = performance.now(); ; await delay(pause)) {
    try {
      return await connect(url, { replicas, logger: null });
    } catch (error) {
      if (!(error instanceof LogUnavailableError) || performance.now() - began > patience) throw error;
    }
  }
}
