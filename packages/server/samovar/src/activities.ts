import { type ActivityReport, type EntityKind, ListActivitiesQuery } from '@samovar/activity';
import { type Output, thousands } from './output.ts';
import type { RemoteServer } from './remote.ts';

export interface ActivitiesOptions {
  readonly kind: EntityKind | undefined;
  readonly limit: number;
  /** Write a JSON document instead of text. */
  readonly json: boolean;
}

/** Tells what the server's own engines are doing. */
export async function listActivities(
  server: RemoteServer,
  output: Output,
  { kind, limit, json }: ActivitiesOptions,
): Promise<void> {
  const found = await server.call(ListActivitiesQuery, { limit, ...(kind === undefined ? {} : { kind }) });
  if (json) {
    output.line(JSON.stringify(found, null, 2));
    return;
  }
  const { activities, total } = found;
  for (const activity of activities) {
    output.line(lineOf(activity));
    if (activity.lastError !== null) output.line(`  ${activity.lastError}`);
  }
  if (activities.length < total)
    output.line(`${activities.length} of ${thousands(total)} activities: --limit shows more`);
  else if (total === 0) output.line('no activities');
}

function lineOf({ stream, name, engine, state, lag, attempts, nextRun }: ActivityReport): string {
  const behind =
    lag === 0 ? '' : `, ${lag >= 1_000 ? '1,000 events or more' : `${lag} event${lag === 1 ? '' : 's'}`} behind`;
  const failures = attempts === 0 ? '' : `, failed ${attempts} time${attempts === 1 ? '' : 's'} in a row`;
  const next = nextRun === null ? '' : `, next run ${nextRun}`;
  return `${stream} ${name} (${engine}): ${state}${behind}${failures}${next}`;
}
