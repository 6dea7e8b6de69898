import type { Offset, Pending, Share, Sign, StoredSubscription } from '../stored.ts';

/** Whether a process has left, or gave no sign of life for as long as its lease. */
export type IsGone = (sign: Sign) => boolean;

/** What a process has to store of its own part. */
export interface Progress {
  /** `acked`: how many were acknowledged since it last stored that. The place and the last event count only at the front. */
  readonly offset: Offset;
  readonly wants: boolean;
}

/** The parts of all processes, the first of which is at the front: it delivers what is new. */
export function partsOf({ owner, epoch, beat, expires, offset, shares }: StoredSubscription): Share[] {
  return [{ owner, epoch, beat, expires, pending: offset.pending, wants: false }, ...shares];
}

/** The same position with the pending events of all processes. */
export function wholeOffset({ offset, shares }: StoredSubscription): Offset {
  return shares.length === 0 ? offset : { ...offset, pending: merged([offset, ...shares]) };
}

/** A new process takes part: at the front, if nobody is there. */
export function joined(stored: StoredSubscription, sign: Sign, isGone: IsGone): StoredSubscription {
  const [front, ...shares] = partsOf(stored) as [Share, ...Share[]];
  const others = shares.map((share) => (share.owner === sign.owner ? asGone(share) : share));
  const all = [front, ...others, { ...sign, pending: [], wants: true }] as const;
  return housekept(withParts(stored, ...all), sign.epoch, isGone);
}

/** The process of this epoch, which has a part, stores it with a sign of life. */
export function kept(stored: StoredSubscription, sign: Sign, progress: Progress): StoredSubscription {
  const { offset, wants } = progress;
  const own = { ...sign, pending: offset.pending, wants };
  const [front, ...shares] = partsOf(stored).map((part) => (part.epoch === sign.epoch ? own : part));
  const acked = stored.offset.acked + offset.acked;
  const next = withParts({ ...stored, offset: { ...stored.offset, acked } }, front as Share, ...shares);
  if (stored.epoch !== sign.epoch) return next;
  return {
    ...next,
    offset: {
      ...next.offset,
      high: Math.max(stored.offset.high, offset.high),
      last: later(stored.offset.last, offset.last),
    },
  };
}

/** The process of this epoch takes over from those that are gone: from the one at the front its place, if it has a share. */
export function housekept(stored: StoredSubscription, epoch: number, isGone: IsGone): StoredSubscription {
  const own = stored.shares.find((share) => share.epoch === epoch);
  const next = own !== undefined && isGone(stored) ? passedTo(stored, own) : stored;
  if (next.epoch !== epoch || !next.shares.some(isGone)) return next;
  const pending = merged([next.offset, ...next.shares.filter(isGone)]);
  return { ...next, offset: { ...next.offset, pending }, shares: next.shares.filter((share) => !isGone(share)) };
}

/** Another process that wants to goes to the front, if there is one. */
export function passedOn(stored: StoredSubscription, isGone: IsGone): StoredSubscription {
  const next = stored.shares.find((share) => share.wants && !isGone(share));
  return next === undefined ? stored : passedTo(stored, next);
}

/** The process of this epoch leaves. What it was handed and has not acknowledged is for whoever is at the front then. */
export function left(stored: StoredSubscription, epoch: number, isGone: IsGone): StoredSubscription {
  const parts = partsOf(stored).map((part) => (part.epoch === epoch ? asGone(part) : part));
  const [front, ...shares] = parts as [Share, ...Share[]];
  const without = withParts(stored, front, ...shares);
  const alive = without.shares.filter((share) => !isGone(share));
  const next = stored.epoch === epoch ? (alive.find(({ wants }) => wants) ?? alive[0]) : undefined;
  return next === undefined ? without : passedTo(without, next);
}

function passedTo(stored: StoredSubscription, next: Share): StoredSubscription {
  const [front, ...shares] = partsOf(stored) as [Share, ...Share[]];
  return withParts(stored, next, ...shares.filter(({ epoch }) => epoch !== next.epoch), front);
}

function withParts(stored: StoredSubscription, front: Share, ...shares: readonly Share[]): StoredSubscription {
  const { pending, wants: _, ...sign } = front;
  const left = shares.filter((share) => share.owner !== '' || share.pending.length > 0);
  return { ...stored, ...sign, offset: { ...stored.offset, pending }, shares: left };
}

function asGone(part: Share): Share {
  return { ...part, owner: '', expires: 0, wants: false };
}

function merged(parts: readonly { readonly pending: readonly Pending[] }[]): Pending[] {
  return parts.flatMap(({ pending }) => pending).sort(([a], [b]) => a - b);
}

function later<T extends string>(a: T | null, b: T | null): T | null {
  return a === null || (b !== null && b > a) ? b : a;
}
