import { LogUnavailableError } from '@samovar/eda';

/**
 * How it is seen to that of many who expect one head of a stream one is stored.
 * - subject: the server compares the head with what is on its way, too.
 * - end: as servers before 2.10.14 that keep a log together look at a stream's head before they agree on what comes next,
 *   all may find it right; only where the whole log ends is looked at when a message is stored.
 */
export type Guard = 'subject' | 'end';

/**
 * How heads are guarded by servers of this version, by their source: `processClusteredInboundMsg` up to 2.11, and
 * `checkMsgHeadersPreClusteredProposal` from 2.12 on.
 *
 * @throws {LogUnavailableError} for servers from 2.10.14 to before 2.12 that keep a log together: they remember the id of
 * what they have refused, and answer as if it were stored, or, from 2.11 on, on its way.
 */
export function guardOf(version: string, replicas: number): Guard {
  if (replicas === 1 || isFrom(version, [2, 12, 0])) return 'subject';
  if (!isFrom(version, [2, 10, 14])) return 'end';
  const why = 'does not store what it has refused before, where several keep a log: use 2.12 or later';
  throw new LogUnavailableError(`nats-server ${version} ${why}`);
}

/** Whether a server looks at the expected head of what it has stored already under the same id. */
export function comparesRepeated(version: string, replicas: number): boolean {
  return replicas > 1 || isFrom(version, [2, 12, 0]);
}

/**
 * Whether servers of this version that keep a log together may give one position to two messages: before 2.10.12 one that is
 * killed may have forgotten for whom it has voted (`writeTermVote` of their source), so that two lead at once.
 */
export function mayDisagree(version: string, replicas: number): boolean {
  return replicas > 1 && !isFrom(version, [2, 10, 12]);
}

function isFrom(version: string, least: readonly [number, number, number]): boolean {
  const parts = version.split('.').map((part) => Number.parseInt(part, 10));
  for (const [i, wanted] of least.entries()) {
    const part = parts[i] ?? 0;
    if (part !== wanted) return part > wanted;
  }
  return true;
}
