import { InvalidActivityError, type Outcome, type StartOptions, type Tail } from '@samovar/activity';
import type { Context } from '@samovar/context';
import type { EventStream } from '@samovar/eda';

/** Runs an activity over the events of its entity. */
export type Process = (ctx: Context, tail: Tail, events: EventStream) => Promise<Outcome>;

type ProcessOf<Ids extends readonly string[]> = (
  ctx: Context,
  ...args: [...Ids, Tail, EventStream]
) => Promise<Outcome>;

/** An activity whose method is `Method`, or the bare function. */
export type Activity<Method extends string, Ids extends readonly string[]> =
  | ProcessOf<Ids>
  | { readonly [name in Method]: ProcessOf<Ids> };

const namePattern = /^[A-Za-z0-9._-]{1,100}$/;

/** @throws {InvalidActivityError} */
export function processOf<Method extends string, const Ids extends readonly string[]>(
  activity: Activity<Method, Ids>,
  method: Method,
  ids: Ids,
): Process {
  if (typeof activity === 'function') return (ctx, tail, events) => activity(ctx, ...ids, tail, events);
  if (typeof activity?.[method] !== 'function') {
    throw new InvalidActivityError('activity', `is neither a function nor an object with ${method}`);
  }
  return (ctx, tail, events) => activity[method](ctx, ...ids, tail, events);
}

/** What the activity is called. @throws {InvalidActivityError} */
export function nameOf(activity: object, { name }: StartOptions): string {
  const found = name ?? defaultName(activity);
  if (namePattern.test(found)) return found;
  const why = 'is not 1 to 100 letters, digits, ".", "_" and "-"';
  throw new InvalidActivityError('name', name === undefined ? `${why} by default ('${found}'): choose one` : why);
}

function defaultName(activity: object): string {
  if (typeof activity === 'function') return activity.name;
  const { name } = activity.constructor ?? {};
  return name === undefined || name === 'Object' ? '' : name;
}
