import type { EntityEvents } from '@samovar/activity';
import { type GrpcService, grpcService } from '@samovar/api';
import { EntityKind } from '@samovar/api/entities/v1/entity';
import { EphemeralRegistry, Registry } from '@samovar/api/entities/v1/registry';
import { Repos } from '@samovar/api/entities/v1/repos';
import type { Context } from '@samovar/context';
import { type EventStream, parseEventId } from '@samovar/eda';
import { Batch, EncodedEvents } from '../wire/batch.ts';
import { checkedRef } from '../wire/entity.ts';

/** A response goes out once it has so many bytes: it may have a large event more. */
const batchBytes = 32 * 1024;
/** Encoded events that are kept for others who want the same. */
const encodedBytes = 16 * 1024 * 1024;

interface EventsRequest {
  readonly registry?: string;
  readonly repoId?: string;
  readonly workflowId?: string;
  readonly after: string;
  readonly watch: boolean;
}

/** The events of entities, in batches, as the services of all kinds give them out. */
export class EventFeed {
  readonly #events: EntityEvents;
  readonly #encoded: EncodedEvents;

  constructor(events: EntityEvents, encoded = new EncodedEvents(encodedBytes)) {
    this.#events = events;
    this.#encoded = encoded;
  }

  /** The handler of a method for entities of this kind. */
  of(kind: EntityKind): (ctx: Context, request: EventsRequest) => AsyncGenerator<Uint8Array> {
    return (ctx, request) => this.#send(ctx, kind, request);
  }

  async *#send(ctx: Context, kind: EntityKind, request: EventsRequest): AsyncGenerator<Uint8Array> {
    const { registry = '', repoId = '', workflowId = '', after, watch } = request;
    const entity = checkedRef({ kind, registry, repoId, workflowId });
    const stream = this.#events.open(ctx, entity, { after: after === '' ? null : parseEventId(after), watch });
    yield* history(stream, this.#encoded);
    if (watch) yield* news(stream, this.#encoded);
  }
}

export function registryService(feed: EventFeed): GrpcService {
  return grpcService(Registry, { events: feed.of(EntityKind.REGISTRY) });
}

export function ephemeralRegistryService(feed: EventFeed): GrpcService {
  return grpcService(EphemeralRegistry, {
    registryWorkflowIndexEvents: feed.of(EntityKind.REGISTRY_WORKFLOW_INDEX),
    registryWorkflowEvents: feed.of(EntityKind.REGISTRY_WORKFLOW),
  });
}

export function reposService(feed: EventFeed): GrpcService {
  return grpcService(Repos, {
    events: feed.of(EntityKind.REPO),
    workflowEvents: feed.of(EntityKind.REPO_WORKFLOW),
  });
}

async function* history(stream: EventStream, encoded: EncodedEvents): AsyncGenerator<Uint8Array> {
  const batch = new Batch(batchBytes);
  for await (const event of stream.history()) {
    batch.add(encoded.get(event));
    if (batch.isFull) yield batch.take(false);
  }
  yield batch.take(true);
}

/** Events that come at about the same time go out together. */
async function* news(stream: EventStream, encoded: EncodedEvents): AsyncGenerator<Uint8Array> {
  const batch = new Batch(batchBytes);
  const events = stream[Symbol.asyncIterator]();
  let next = events.next();
  try {
    for (;;) {
      const found = batch.isEmpty ? await next : await Promise.race([next, turn()]);
      if (found?.done) return;
      if (found !== undefined) {
        batch.add(encoded.get(found.value));
        next = events.next();
      }
      if (found === undefined || batch.isFull) yield batch.take(found === undefined);
    }
  } finally {
    // Whoever reads has gone: what is still waited for does not count.
    next.catch(() => {});
    await events.return?.();
  }
}

function turn(): Promise<undefined> {
  return new Promise((resolve) => setImmediate(() => resolve(undefined)));
}
