import type { EntityRef, OpenOptions, Tail } from '@samovar/activity';
import { EphemeralRegistry, Registry, type RegistryEventsResponse } from '@samovar/api/entities/v1/registry';
import { Repos } from '@samovar/api/entities/v1/repos';
import type { Context } from '@samovar/context';
import type { Event, EventStream } from '@samovar/eda';
import { decodeEvent } from '../wire/event.ts';
import type { Channel } from './channel.ts';

/** A response of any of the services: they are alike. */
type Response = Pick<RegistryEventsResponse, 'events' | 'willBlock'>;

/** The events of an entity, over one call, which begins with the first loop. */
export class RemoteEventStream implements EventStream {
  readonly #channel: Channel;
  readonly #ctx: Context;
  readonly #entity: EntityRef;
  readonly #watch: boolean;
  /** The last event that was given out. */
  #last: Tail;
  #responses: AsyncGenerator<Response> | undefined;
  #waiting: Event[] = [];
  #isAtHead = false;
  #isIterated = false;

  constructor(channel: Channel, ctx: Context, entity: EntityRef, { after, watch }: OpenOptions) {
    this.#channel = channel;
    this.#ctx = ctx;
    this.#entity = entity;
    this.#last = after;
    this.#watch = watch;
  }

  history(): AsyncIterable<Event> {
    return { [Symbol.asyncIterator]: () => this.#iterate(() => this.#isAtHead) };
  }

  [Symbol.asyncIterator](): AsyncIterator<Event> {
    if (this.#isIterated) throw new TypeError('an event stream can be iterated once: open it again');
    this.#isIterated = true;
    return this.#iterate(() => false);
  }

  async *#iterate(isThrough: () => boolean): AsyncGenerator<Event> {
    let isLeft = true;
    try {
      for (;;) {
        const event = this.#waiting.shift();
        if (event !== undefined) {
          this.#last = event.id;
          yield event;
        } else if (isThrough() || !(await this.#receive())) break;
      }
      isLeft = false;
    } finally {
      if (isLeft) await this.#leave();
    }
  }

  /** Whether there was a response. */
  async #receive(): Promise<boolean> {
    this.#responses ??= this.#call();
    const { value, done } = await this.#responses.next();
    if (done) return false;
    this.#waiting = value.events.map(decodeEvent);
    this.#isAtHead ||= value.willBlock;
    return true;
  }

  /** Holds nothing any more; another loop goes on behind the last event, over another call. */
  async #leave(): Promise<void> {
    const responses = this.#responses;
    this.#responses = undefined;
    this.#waiting = [];
    this.#isAtHead = false;
    await responses?.return(undefined);
  }

  #call(): AsyncGenerator<Response> {
    const entity = this.#entity;
    const request = { after: this.#last ?? '', watch: this.#watch };
    const [channel, ctx] = [this.#channel, this.#ctx];
    switch (entity.kind) {
      case 'registry':
        return channel.stream(ctx, Registry.method.events, { ...request, registry: entity.registry });
      case 'registryWorkflowIndex':
        return channel.stream(ctx, EphemeralRegistry.method.registryWorkflowIndexEvents, {
          ...request,
          registry: entity.registry,
        });
      case 'registryWorkflow':
        return channel.stream(ctx, EphemeralRegistry.method.registryWorkflowEvents, {
          ...request,
          registry: entity.registry,
          workflowId: entity.workflowId,
        });
      case 'repo':
        return channel.stream(ctx, Repos.method.events, { ...request, repoId: entity.repoId });
      case 'repoWorkflow':
        return channel.stream(ctx, Repos.method.workflowEvents, {
          ...request,
          repoId: entity.repoId,
          workflowId: entity.workflowId,
        });
    }
  }
}
