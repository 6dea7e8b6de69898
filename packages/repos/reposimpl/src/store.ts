import type { Context } from '@samovar/context';
import { type Conn, Data, type Event, type EventId, type NewEvent } from '@samovar/eda';
import type { EventType } from '@samovar/message';
import {
  CommitsRecorded,
  HeadMoved,
  RepoArchived,
  RepoInitialized,
  RepoPinged,
  repoStream,
  Uuid,
} from '@samovar/repos';

/** Something that happened to a repository. */
export type RepoFact =
  | { readonly kind: 'initialized'; readonly data: RepoInitialized }
  | { readonly kind: 'recorded'; readonly data: CommitsRecorded }
  | { readonly kind: 'moved'; readonly data: HeadMoved }
  | { readonly kind: 'pinged'; readonly data: RepoPinged }
  | { readonly kind: 'archived'; readonly data: RepoArchived };

/** A fact of the log. */
export type RepoEvent = { readonly id: EventId } & (RepoFact | { readonly kind: 'unknown' });

export interface ReadRange {
  /** Only events behind this one, or before it when reading backwards. Default: all. */
  readonly after?: EventId | undefined;
  readonly limit?: number;
  readonly backwards?: boolean;
}

/** Keeps the events of repositories, each repository's in order. */
export interface RepoLog {
  read(ctx: Context, repoId: Uuid, range: ReadRange): AsyncIterable<RepoEvent>;
  /** @throws {HeadConflictError} if the repository's last event is not `head`; null: it has none. */
  append(ctx: Context, repoId: Uuid, head: EventId | null, fact: RepoFact): Promise<EventId>;
  /** The last event of each repository. */
  heads(ctx: Context): AsyncIterable<{ readonly repoId: Uuid; readonly head: EventId }>;
}

/** One event stream for each repository. */
export function edaRepoLog(conn: Conn): RepoLog {
  return {
    async *read(ctx, repoId, { after, ...range }) {
      const events = conn.read(ctx, repoStream(repoId), after === undefined ? range : { ...range, after });
      for await (const event of events) yield toRepoEvent(event);
    },
    append: (ctx, repoId, head, fact) =>
      conn.publish(ctx, repoStream(repoId), toNewEvent(fact), { expectedHead: head }),
    async *heads(ctx) {
      for await (const { stream, head } of conn.streams(ctx, 'repos.*')) {
        const { success, data: repoId } = Uuid.safeParse(stream.slice('repos.'.length));
        if (success) yield { repoId, head };
      }
    },
  };
}

const definitions = {
  initialized: RepoInitialized,
  recorded: CommitsRecorded,
  moved: HeadMoved,
  pinged: RepoPinged,
  archived: RepoArchived,
} as const;
const kinds = Object.keys(definitions) as (keyof typeof definitions)[];

function toNewEvent({ kind, data }: RepoFact): NewEvent {
  const { name, version } = definitions[kind];
  return { type: name, schema: String(version), aggregate: data.repoId, data: Data.json(data) };
}

function toRepoEvent(event: Event): RepoEvent {
  const kind = kinds.find((candidate) => definitions[candidate].name === event.type);
  if (kind === undefined) return { id: event.id, kind: 'unknown' };
  return { id: event.id, kind, data: dataOf(definitions[kind], event) } as RepoEvent;
}

/** Data of today's shape is our own, checked when it was made: checking a large history again would cost seconds. */
function dataOf(definition: Pick<EventType<unknown>, 'version' | 'upcast'>, { schema, data }: Event): unknown {
  return schema === String(definition.version) ? data.json() : definition.upcast(Number(schema), data.json());
}
