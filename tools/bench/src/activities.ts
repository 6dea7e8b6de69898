import { following } from './following.ts';
import type { Effort } from './measure.ts';
import { sleeping } from './sleeping.ts';

/** Lazy activities over a log and leases in SQLite: a hundred thousand that sleep, and some that work. */
export async function activities(effort: Effort): Promise<string> {
  return `${await sleeping(effort)}\n\n${await following(effort)}`;
}
