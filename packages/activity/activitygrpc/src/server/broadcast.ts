import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import type { EntityEvents } from '@samovar/activity';
import { type GrpcService, grpcService } from '@samovar/api';
import {
  AggregateSignalsResponseSchema,
  type EntityHeadSchema,
  HeadsResponseSchema,
  LiveBroadcast,
} from '@samovar/api/entities/v1/broadcast';
import { checkedRef, kindsOf, wireRef } from '../wire/entity.ts';
import { SharedSignals } from './signals.ts';

/** Entities in one message. */
const largestPage = 500;

/** The service that tells what is new among all entities. */
export function broadcastService(events: EntityEvents): GrpcService {
  const signals = new SharedSignals(events);
  return grpcService(LiveBroadcast, {
    async *aggregateSignals(ctx, { kinds }) {
      for await (const entities of signals.open(ctx, kindsOf(kinds))) {
        for (const page of pages(entities.map(wireRef))) {
          yield toBinary(AggregateSignalsResponseSchema, create(AggregateSignalsResponseSchema, { entities: page }));
        }
      }
    },

    async *heads(ctx, { kinds }) {
      const heads: MessageInitShape<typeof EntityHeadSchema>[] = [];
      const take = () => toBinary(HeadsResponseSchema, create(HeadsResponseSchema, { heads: heads.splice(0) }));
      for await (const { entity, head } of events.heads(ctx, kindsOf(kinds))) {
        heads.push({ entity: wireRef(entity), head });
        if (heads.length === largestPage) yield take();
      }
      if (heads.length > 0) yield take();
    },

    async head(ctx, { entity }) {
      const head = await events.head(ctx, checkedRef(entity));
      return head === null ? {} : { head };
    },
  });
}

/** At least one, which may be empty. */
function* pages<T>(items: readonly T[]): Generator<T[]> {
  let at = 0;
  do {
    yield items.slice(at, at + largestPage);
    at += largestPage;
  } while (at < items.length);
}
