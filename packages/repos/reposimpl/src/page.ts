import type { Context } from '@samovar/context';
import { type EventId, parseEventId } from '@samovar/eda';
import { DomainError } from '@samovar/errors';
import { InvalidMessageError } from '@samovar/message';
import { type Commit, type CommitsPage, ListCommitsQuery, type Uuid } from '@samovar/repos';
import type { RepoEvent, RepoLog } from './store.ts';

/** In front of the `index`th commit of an event; its text is a page's `next`. */
interface Position {
  readonly id: EventId;
  readonly index: number;
}

/** A page of commits, the newest first. @throws {InvalidMessageError} if `before` is no page's `next`. */
export async function readPage(ctx: Context, log: RepoLog, query: ListCommitsQuery): Promise<CommitsPage> {
  const commits: Commit[] = [];
  let next: Position | undefined;
  for await (const [commit, position] of backwards(ctx, log, query)) {
    // One more than asked for: only then is there a next page.
    if (commits.length === query.limit) return { commits, next: next ? `${next.id}.${next.index}` : null };
    commits.push(commit);
    next = position;
  }
  return { commits, next: null };
}

async function* backwards(
  ctx: Context,
  log: RepoLog,
  { repoId, before }: ListCommitsQuery,
): AsyncGenerator<[Commit, Position]> {
  let after: EventId | undefined;
  if (before !== undefined) {
    const position = parsePosition(before);
    const event = await eventAt(ctx, log, repoId, position.id);
    if (event?.kind !== 'recorded' || position.index > event.data.commits.length) throw noPosition();
    yield* commitsBefore(event, position.index);
    after = position.id;
  }
  for await (const event of log.read(ctx, repoId, { after, backwards: true })) {
    if (event.kind === 'recorded') yield* commitsBefore(event, event.data.commits.length);
  }
}

function* commitsBefore(event: RepoEvent & { kind: 'recorded' }, end: number): Generator<[Commit, Position]> {
  for (const [index, commit] of event.data.commits.slice(0, end).entries().toArray().reverse()) {
    yield [commit, { id: event.id, index }];
  }
}

/** A log reads what is behind an event, so the one in question is found as the one behind that before it. */
async function eventAt(ctx: Context, log: RepoLog, repoId: Uuid, id: EventId): Promise<RepoEvent | undefined> {
  try {
    const previous = await first(log.read(ctx, repoId, { after: id, backwards: true, limit: 1 }));
    const event = await first(log.read(ctx, repoId, { after: previous?.id, limit: 1 }));
    return event?.id === id ? event : undefined;
  } catch (error) {
    if (DomainError.is(error) && error.id === 'eda.foreignId') return undefined;
    throw error;
  }
}

async function first<T>(items: AsyncIterable<T>): Promise<T | undefined> {
  for await (const item of items) return item;
  return undefined;
}

function parsePosition(text: string): Position {
  const [, id, index] = /^(\w{26})\.(\d{1,9})$/.exec(text) ?? [];
  if (id === undefined) throw noPosition();
  try {
    return { id: parseEventId(id), index: Number(index) };
  } catch {
    throw noPosition();
  }
}

function noPosition(): InvalidMessageError {
  return new InvalidMessageError(ListCommitsQuery.name, [{ path: ['before'], message: 'is the next of no page' }]);
}
