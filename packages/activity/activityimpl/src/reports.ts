import {
  type ActivityReport,
  type ActivityStatus,
  type Engines,
  type EntityEvents,
  entityStream,
  ListActivitiesQuery,
} from '@samovar/activity';
import type { Context } from '@samovar/context';
import { DomainError } from '@samovar/errors';
import pLimit from 'p-limit';

const names = ['lazy', 'eager', 'cron'] as const satisfies readonly (keyof Engines)[];

interface Started {
  readonly engine: ActivityReport['engine'];
  readonly status: ActivityStatus;
}

const mostLag = 1_000;
const readAtOnce = 8;

/** Tells what the activities of the engines are doing: those of the lazy one first, then eager, then cron. */
export class Reports {
  readonly #engines: Engines;
  readonly #events: EntityEvents;

  constructor(engines: Engines, events: EntityEvents) {
    this.#engines = engines;
    this.#events = events;
  }

  async listActivities(
    ctx: Context,
    query: ListActivitiesQuery,
  ): Promise<{ activities: ActivityReport[]; total: number }> {
    const { kind, limit } = ListActivitiesQuery.parse(query);
    const all = this.#all().filter(({ status }) => kind === undefined || status.activity.entity.kind === kind);
    const chosen = all.length > limit ? all.toSorted(byFailures).slice(0, limit) : all;
    const turns = pLimit(readAtOnce);
    const activities = await Promise.all(chosen.map((each) => turns(() => this.#report(ctx, each))));
    return { activities, total: all.length };
  }

  #all(): Started[] {
    return names.flatMap((engine) => this.#engines[engine].activities().map((status) => ({ engine, status })));
  }

  async #report(ctx: Context, { engine, status }: Started): Promise<ActivityReport> {
    const { activity, state, tail, attempts, lastError, nextRun } = status;
    const { entity, name } = activity;
    return {
      engine,
      kind: entity.kind,
      stream: entityStream(entity),
      name,
      state,
      tail,
      lag: await this.#lag(ctx, status),
      attempts,
      lastError: lastError === undefined ? null : DomainError.from(lastError).publicMessage,
      nextRun: nextRun?.toISOString() ?? null,
    };
  }

  async #lag(ctx: Context, { activity: { entity }, tail }: ActivityStatus): Promise<number> {
    if ((await this.#events.head(ctx, entity)) === tail) return 0;
    let lag = 0;
    for await (const _ of this.#events.open(ctx, entity, { after: tail, watch: false })) {
      if (++lag === mostLag) break;
    }
    return lag;
  }
}

function byFailures(a: Started, b: Started): number {
  return b.status.attempts - a.status.attempts;
}
