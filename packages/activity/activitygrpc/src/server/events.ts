import type { EntityEvents } from '@samovar/activity';
import { type GrpcService, grpcService } from '@samovar/api';
import { EntityKind } from '@samovar/api/entities/v1/entity';
import { EphemeralRegistry, Registry } from '@samovar/api/entities/v1/registry';
import { Repos } from '@samovar/api/entities/v1/repos';
import type { Context } from '@samovar/context';
import { parseEventId } from '@samovar/eda';
import { checkedRef } from '../wire/entity.ts';
import { Following } from './following.ts';
import { history } from './history.ts';
import { SharedWatches } from './watches.ts';

interface EventsRequest {
  readonly registry?: string;
  readonly repoId?: string;
  readonly workflowId?: string;
  readonly after: string;
  readonly watch: boolean;
}

/** The events of entities, in batches, as the services of all kinds give them out. */
export class EventFeed {
  readonly #watches: SharedWatches;

  constructor(events: EntityEvents) {
    this.#watches = new SharedWatches(events);
  }

  /**
   * The handler of a method for entities of this kind. Returning the iterator ends it, also while it waits; its context
   * alone does not.
   */
  of(kind: EntityKind): (ctx: Context, request: EventsRequest) => AsyncIterable<Uint8Array> {
    return (ctx, { registry = '', repoId = '', workflowId = '', after, watch }) => {
      const entity = checkedRef({ kind, registry, repoId, workflowId });
      const tail = after === '' ? null : parseEventId(after);
      return watch ? new Following(ctx, entity, tail, this.#watches) : history(this.#watches.read(ctx, entity, tail));
    };
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
