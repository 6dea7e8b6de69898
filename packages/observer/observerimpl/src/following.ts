import { type EntityRef, entityStream, type Tail } from '@samovar/activity';
import type { Context } from '@samovar/context';
import type { Event } from '@samovar/eda';
import { persist } from './persist.ts';
import type { Tools } from './tools.ts';

/** What is done about an entity; each may be repeated. */
export interface Steps {
  /** Starts what there is now. */
  readonly startAll: () => Promise<void>;
  /** Starts or stops what the event tells of, which may have been taken into account already. */
  readonly handle: (event: Event) => Promise<void>;
}

/**
 * Follows an entity in this process, whoever else does: starts what there is, then does what each event asks for, one
 * after another. What fails is tried again.
 *
 * @throws {CanceledError} @throws {DeadlineExceededError} when `ctx` is done.
 */
export async function follow(
  ctx: Context,
  { events, logger }: Pick<Tools, 'events' | 'logger'>,
  entity: EntityRef,
  { startAll, handle }: Steps,
): Promise<never> {
  let tail: Tail = null;
  let isStarted = false;
  return await persist(ctx, logger, `${entityStream(entity)} cannot be followed: trying again`, async (works) => {
    if (!isStarted) {
      tail = await events.head(ctx, entity);
      await startAll();
      isStarted = true;
      works();
    }
    for await (const event of events.open(ctx, entity, { after: tail, watch: true })) {
      await handle(event);
      tail = event.id;
      works();
    }
  });
}
