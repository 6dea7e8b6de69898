import { Messages } from '@samovar/api/entities/v1/messages';
import { type Bus, type CatalogueEntry, CommandWhileReplayingError, commandsWhileReplaying } from '@samovar/bus';
import type { Context } from '@samovar/context';
import { replaying } from '@samovar/eda';
import type { CommandType, QueryType } from '@samovar/message';
import type { Channel } from './channel.ts';
import { NotRemoteError } from './errors.ts';

/** The bus of a server, for those who ask something of it from elsewhere: all but `dispatch` is refused. */
export class RemoteBus implements Bus {
  readonly #channel: Channel;

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  /** The result is what JSON can hold of it. */
  async dispatch<A, R>(ctx: Context, message: CommandType<A, R> | QueryType<A, R>, args: A): Promise<R> {
    const { kind, name } = message;
    if (kind === 'command' && ctx.value(replaying) && !ctx.value(commandsWhileReplaying)) {
      throw new CommandWhileReplayingError(name);
    }
    const request = { message: name, args: Buffer.from(JSON.stringify(args)) };
    const { result } = await this.#channel.call(ctx, Messages.method.dispatch, request);
    return (result.length === 0 ? undefined : JSON.parse(Buffer.from(result).toString())) as R;
  }

  publish(): Promise<never> {
    return Promise.reject(new NotRemoteError('publish events'));
  }

  addHandler(): never {
    throw new NotRemoteError('handle commands or queries');
  }

  addEventListener(): never {
    throw new NotRemoteError('listen to events');
  }

  use(): never {
    throw new NotRemoteError('add middleware');
  }

  inTransaction(): Promise<never> {
    return Promise.reject(new NotRemoteError('open transactions'));
  }

  /** There are none here. */
  isInTransaction(): boolean {
    return false;
  }

  afterCommit(): never {
    throw new NotRemoteError('wait for a commit');
  }

  /** Nothing is handled here. */
  catalogue(): readonly CatalogueEntry[] {
    return [];
  }
}
