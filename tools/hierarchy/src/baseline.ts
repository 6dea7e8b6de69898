import { existsSync, readFileSync } from 'node:fs';
import type { Breach } from './hierarchy.ts';

/** A known breach, by what stays the same when lines move. */
export interface KnownBreach {
  readonly path: string;
  readonly rule: string;
  readonly message: string;
  /** Why it stands for now. */
  readonly why: string;
}

export interface Comparison {
  /** Breaches that the baseline does not know. */
  readonly fresh: readonly Breach[];
  /** Entries of the baseline that nothing breaks any longer. */
  readonly stale: readonly KnownBreach[];
}

/** One entry excuses one breach. */
export function compareWith(baseline: readonly KnownBreach[], breaches: readonly Breach[]): Comparison {
  const left = [...baseline];
  const fresh = breaches.filter((breach) => {
    const index = left.findIndex((known) => isSame(known, breach));
    if (index !== -1) left.splice(index, 1);
    return index === -1;
  });
  return { fresh, stale: left };
}

/** Without the stale entries. None is ever added: a new breach is mended, or an entry is written and reviewed by hand. */
export function shrink(baseline: readonly KnownBreach[], { stale }: Comparison): KnownBreach[] {
  return baseline.filter((known) => !stale.includes(known));
}

/** The baseline in `file`, empty if there is none. @throws {Error} if it is no list of entries with all their fields. */
export function readBaseline(file: string): KnownBreach[] {
  if (!existsSync(file)) return [];
  let entries: unknown;
  try {
    entries = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new Error(`${file} is not valid JSON`, { cause });
  }
  if (!Array.isArray(entries) || !entries.every(isKnownBreach)) {
    throw new Error(`${file} is no list of { path, rule, message, why }, each a text that is not empty`);
  }
  return entries;
}

function isKnownBreach(entry: unknown): entry is KnownBreach {
  const fields = entry as Readonly<Record<string, unknown>> | null;
  return ['path', 'rule', 'message', 'why'].every((key) => typeof fields?.[key] === 'string' && fields[key] !== '');
}

function isSame(known: KnownBreach, breach: Breach): boolean {
  return known.path === breach.path && known.rule === breach.rule && known.message === breach.message;
}
