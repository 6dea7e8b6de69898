import type { EntityEvents, EntityKind, EntityRef, OpenOptions } from '@samovar/activity';
import { LiveBroadcast } from '@samovar/api/entities/v1/broadcast';
import { type Context, throwIfDone, withCancel } from '@samovar/context';
import type { EventId, EventStream } from '@samovar/eda';
import { DomainError } from '@samovar/errors';
import { Gathering } from '../gathering.ts';
import { refOf, wireKinds, wireRef } from '../wire/entity.ts';
import type { Channel } from './channel.ts';
import { RemoteEventStream } from './stream.ts';

/** The events of entities in a server's log. */
export class RemoteEntityEvents implements EntityEvents {
  readonly #channel: Channel;

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  open(ctx: Context, entity: EntityRef, options: OpenOptions): EventStream {
    throwIfDone(ctx);
    return new RemoteEventStream(this.#channel, ctx, entity, options);
  }

  async *signals(ctx: Context, kinds: readonly EntityKind[]): AsyncGenerator<readonly EntityRef[]> {
    // They are taken as they come, and the connection is never in arrears with one that is slow.
    using scope = withCancel(ctx);
    const gathering = new Gathering();
    void this.#gather(scope.ctx, kinds, gathering);
    for (;;) yield await gathering.next();
  }

  async head(ctx: Context, entity: EntityRef): Promise<EventId | null> {
    const { head } = await this.#channel.call(ctx, LiveBroadcast.method.head, { entity: wireRef(entity) });
    return head === '' ? null : (head as EventId);
  }

  async *heads(
    ctx: Context,
    kinds: readonly EntityKind[],
  ): AsyncGenerator<{ readonly entity: EntityRef; readonly head: EventId }> {
    for await (const { heads } of this.#channel.stream(ctx, LiveBroadcast.method.heads, { kinds: wireKinds(kinds) })) {
      for (const { entity, head } of heads) {
        const known = entity && refOf(entity);
        if (known !== undefined) yield { entity: known, head: head as EventId };
      }
    }
  }

  /** Never rejects. */
  async #gather(ctx: Context, kinds: readonly EntityKind[], gathering: Gathering): Promise<void> {
    try {
      const { aggregateSignals } = LiveBroadcast.method;
      for await (const { entities } of this.#channel.stream(ctx, aggregateSignals, { kinds: wireKinds(kinds) })) {
        gathering.add(entities.map(refOf).filter((entity) => entity !== undefined));
      }
      gathering.fail(
        new DomainError('unavailable', 'activity.signalsEnded', { publicMessage: 'the server has ended its signals' }),
      );
    } catch (error) {
      gathering.fail(error);
    }
  }
}
