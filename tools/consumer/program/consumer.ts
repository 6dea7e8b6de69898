// A program as a user of the published packages writes it. It is compiled and run far away from the workspace, and
// prints one line of JSON.
import type { Bus } from '@samovar/bus';
import { HandlerNotFoundError } from '@samovar/bus';
import {
  background,
  CanceledError,
  type Context,
  contextKey,
  throwIfDone,
  withCancel,
  withValue,
} from '@samovar/context';
import { Data, type EventId, type NewEvent, parseEventId, type ReadOptions, stream } from '@samovar/eda';
import { DomainError } from '@samovar/errors';
import { type ArgsOf, command, event, InvalidMessageError, query } from '@samovar/message';
import { CommitsRecorded, GetRepoQuery, ListCommitsQuery, type Repo, repoStream, Uuid } from '@samovar/repos';
import { z } from 'zod';

const BrewTeaCommand = command(
  'teapot.BrewTeaCommand',
  z.object({ cups: z.int().positive(), leaf: z.string().optional() }),
);
type BrewTeaCommand = ArgsOf<typeof BrewTeaCommand>;
const GetLevelQuery = query('teapot.GetLevelQuery', z.object({}), z.number());
const TeaBrewed = event('teapot.TeaBrewed', z.object({ pot: z.string() }), {
  stream: (data) => stream`teapot.${data.pot}`,
});

class TeapotEmptyError extends DomainError {
  constructor() {
    super('failed_precondition', 'teapot.empty', { publicMessage: 'the teapot is empty' });
  }
}

/** Never called: what the compiler says about it is the test. */
export async function types(ctx: Context, bus: Bus, repoId: Uuid): Promise<unknown> {
  await bus.dispatch(ctx, BrewTeaCommand, { cups: 1 });
  const level: number = await bus.dispatch(ctx, GetLevelQuery, {});
  const repo: Repo = await bus.dispatch(ctx, GetRepoQuery, { repoId });
  const { commits } = await bus.dispatch(ctx, ListCommitsQuery, { repoId, limit: 10 });
  // @ts-expect-error: an element may be missing.
  const subject: string = commits[0].subject;
  // @ts-expect-error: cups is a number.
  await bus.dispatch(ctx, BrewTeaCommand, { cups: 'two' });
  // @ts-expect-error: the result is a number.
  const wrong: string = await bus.dispatch(ctx, GetLevelQuery, {});
  bus.addHandler(GetLevelQuery, () => 3)[Symbol.dispose]();
  // @ts-expect-error: a handler returns its message's result.
  bus.addHandler(GetLevelQuery, () => 'three');
  const event: NewEvent = { type: TeaBrewed.name, data: Data.json({ pot: 'blue' }) };
  // @ts-expect-error: an option that is not wanted is left out.
  const options: ReadOptions = { limit: undefined };
  return [level, repo, subject, wrong, event, options];
}

const guest = contextKey('guest', 'nobody');
using scope = withCancel(withValue(background, guest, 'Ada'));
const before = scope.ctx.value(guest);
scope.cancel('tea time is over');

const id: EventId = parseEventId('01ARZ3NDEKTSV4RRFFQ69G5FAV');
const cups: BrewTeaCommand = BrewTeaCommand.parse({ cups: 2 });

console.log(
  JSON.stringify({
    guest: before,
    done: thrownBy(() => throwIfDone(scope.ctx)) instanceof CanceledError,
    cups,
    refused: (thrownBy(() => BrewTeaCommand.parse({ cups: 0, milk: true })) as InvalidMessageError).faults.length,
    invalid: thrownBy(() => BrewTeaCommand.parse(null)) instanceof InvalidMessageError,
    stream: TeaBrewed.stream?.({ pot: 'blue pot' }),
    repoStream: repoStream(Uuid.parse('019a0000-0000-7000-8000-000000000001')),
    durable: CommitsRecorded.stream !== undefined,
    id,
    badId: DomainError.from(thrownBy(() => parseEventId('tea'))).id,
    data: Data.json({ cups: 2 }).json(),
    own: DomainError.is(new TeapotEmptyError()),
    handler: new HandlerNotFoundError(GetLevelQuery.name).id,
    schema: GetLevelQuery.jsonSchema(),
  }),
);

function thrownBy(fn: () => unknown): unknown {
  try {
    fn();
  } catch (error) {
    return error;
  }
  return undefined;
}
