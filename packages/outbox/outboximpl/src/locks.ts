import { createHash } from 'node:crypto';
import { type RawBuilder, sql } from 'kysely';

/** Of PostgreSQL's advisory locks, those with this as their first number are streams. */
const namespace = 813_264_511;

/**
 * Takes turns with other transactions that add to `stream`, until this one ends. Two streams of one hash take turns
 * without need, which is rare and harmless.
 */
export function streamLock(stream: string): RawBuilder<unknown> {
  const hash = createHash('sha256').update(stream).digest().readInt32BE();
  return sql`select pg_advisory_xact_lock(cast(${namespace} as integer), cast(${hash} as integer))`;
}
