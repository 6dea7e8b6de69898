import { type ArgsOf, query } from '@samovar/message';
import { z } from 'zod';
import type { ActivityEngine } from './activity.ts';
import { type EntityRef, entityKinds } from './entity.ts';

/** What an activity is doing, for those who look from outside. */
export const ActivityReport = z.object({
  engine: z.enum(['lazy', 'eager', 'cron']),
  kind: z.enum(entityKinds),
  /** The stream of its entity. */
  stream: z.string(),
  name: z.string(),
  state: z.enum(['waiting', 'ready', 'running', 'sleeping', 'retrying', 'completed', 'stopped']),
  tail: z.string().nullable(),
  /** How many events of the stream are behind the tail, counted up to 1,000. */
  lag: z.int().nonnegative(),
  attempts: z.int().nonnegative(),
  lastError: z.string().nullable(),
  nextRun: z.iso.datetime().nullable(),
});
export type ActivityReport = z.infer<typeof ActivityReport>;

/** The activities of the server's own engines: those of the lazy one first, then eager, then cron, each in the order of their starts. */
export const ListActivitiesQuery = query(
  'activity.ListActivitiesQuery',
  z.object({
    /** Only those of this kind of entity. */
    kind: z.enum(entityKinds).optional(),
    /** At most so many: those with the most failures in a row first, where there are more. */
    limit: z.int().min(1).max(1_000).default(100),
  }),
  z.object({ activities: z.array(ActivityReport), total: z.int().nonnegative() }),
);
export type ListActivitiesQuery = ArgsOf<typeof ListActivitiesQuery>;

/** The engines of a process. They share its leases: an activity of one name and entity runs in one of them. */
export abstract class Engines {
  /** Runs an activity when its entity has events. */
  abstract readonly lazy: ActivityEngine;
  /** Runs an activity all the time, over a stream that waits for more. */
  abstract readonly eager: ActivityEngine;
  /** Runs all activities at fixed times. */
  abstract readonly cron: ActivityEngine;

  /** Runs the entity's lazy activities of this process once more, as if there were events. Cannot fail. */
  abstract signal(entity: EntityRef): void;
}
