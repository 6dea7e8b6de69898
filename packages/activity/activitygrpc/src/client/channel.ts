import {
  create,
  type DescMessage,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import { type CallOptions, Client, type ClientOptions, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { type Context, throwIfDone, traceParent } from '@samovar/context';
import { fromStatus, InvalidServerError } from './errors.ts';

/** How to reach a server. */
export interface ServerOptions {
  /** The token that the server wants to see, in ASCII. It is sent over TLS, or within this machine, only. */
  readonly token?: string;
  /** Certificates that stand for a server with TLS, as PEM. Default: those that the system trusts. */
  readonly ca?: string;
}

const options: ClientOptions = {
  // A server that is back is found within a second or two.
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 2_000,
  // One that is gone without a word is given up.
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5_000,
  // Logs take events of up to half of that.
  'grpc.max_receive_message_length': 128 * 1024 * 1024,
  'grpc.enable_http_proxy': 0,
  // A long history does not wait for its reader after each 64 kB.
  'grpc-node.flow_control_window': 1024 * 1024,
};

const deserialize = (bytes: Buffer): Buffer => bytes;

interface Cancelable {
  cancel(): void;
}

/** A connection to a server, which is made when it is needed, and again when it is lost. */
export class Channel {
  readonly #client: Client;
  readonly #metadata = new Metadata();

  /** @throws {InvalidServerError} */
  constructor(url: string, { token, ca }: ServerOptions) {
    const { target, isEncrypted, isLocal } = parse(url);
    if (token !== undefined && !isEncrypted && !isLocal) {
      throw new InvalidServerError(`a token is not sent unencrypted: connect to ${url.replace('grpc:', 'grpcs:')}`);
    }
    if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) {
      throw new InvalidServerError('a token has letters, digits and signs of ASCII only, and at least one');
    }
    const secured = () => credentials.createSsl(ca === undefined ? null : Buffer.from(ca));
    this.#client = new Client(target, isEncrypted ? secured() : credentials.createInsecure(), options);
    if (token !== undefined) this.#metadata.set('authorization', `Bearer ${token}`);
  }

  /** Asks for one answer. @throws {DomainError} what the server has answered with, or the way to it has failed with. */
  async call<I extends DescMessage, O extends DescMessage>(
    ctx: Context,
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
  ): Promise<MessageShape<O>> {
    throwIfDone(ctx);
    const bytes = Buffer.from(toBinary(method.input, create(method.input, request)));
    const answer = Promise.withResolvers<Buffer>();
    const call = this.#client.makeUnaryRequest(
      pathOf(method),
      deserialize,
      deserialize,
      bytes,
      this.#metadataOf(ctx),
      optionsOf(ctx),
      (error, value) => (error === null ? answer.resolve(value as Buffer) : answer.reject(error)),
    );
    using _ = cancelWith(ctx, call);
    try {
      return fromBinary(method.output, await answer.promise);
    } catch (error) {
      throw failureOf(ctx, error);
    }
  }

  /** Asks for many answers, as they come. Leaving the loop early cancels the call. @throws as {@link call} does. */
  async *stream<I extends DescMessage, O extends DescMessage>(
    ctx: Context,
    method: DescMethodServerStreaming<I, O>,
    request: MessageInitShape<I>,
  ): AsyncGenerator<MessageShape<O>> {
    throwIfDone(ctx);
    const bytes = Buffer.from(toBinary(method.input, create(method.input, request)));
    const call = this.#client.makeServerStreamRequest<Buffer, Buffer>(
      pathOf(method),
      deserialize,
      deserialize,
      bytes,
      this.#metadataOf(ctx),
      optionsOf(ctx),
    );
    // It fails once more when it is cancelled, and then nobody listens.
    call.on('error', () => {});
    using _ = cancelWith(ctx, call);
    try {
      for await (const message of call) {
        throwIfDone(ctx);
        yield fromBinary(method.output, message as Buffer);
      }
      throwIfDone(ctx);
    } catch (error) {
      throw failureOf(ctx, error);
    } finally {
      call.cancel();
    }
  }

  close(): void {
    this.#client.close();
  }

  #metadataOf(ctx: Context): Metadata {
    const trace = ctx.value(traceParent);
    if (trace === undefined) return this.#metadata;
    const metadata = this.#metadata.clone();
    metadata.set('traceparent', trace);
    return metadata;
  }
}

function parse(url: string) {
  const { protocol, hostname, port } = URL.canParse(url) ? new URL(url) : new URL('none:');
  if ((protocol !== 'grpc:' && protocol !== 'grpcs:') || hostname === '' || port === '') {
    throw new InvalidServerError(
      `${url} is no address of a server: it looks like grpc://host:port, or grpcs: with TLS`,
    );
  }
  const isLocal = hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
  return { target: `${hostname}:${port}`, isEncrypted: protocol === 'grpcs:', isLocal };
}

function pathOf({ parent, name }: DescMethodUnary | DescMethodServerStreaming): string {
  return `/${parent.typeName}/${name}`;
}

function optionsOf({ deadline }: Context): CallOptions {
  return deadline === undefined ? {} : { deadline };
}

/** Until it is disposed. */
function cancelWith({ signal }: Context, call: Cancelable): Disposable {
  const cancel = () => call.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  return { [Symbol.dispose]: () => signal.removeEventListener('abort', cancel) };
}

/** Why a call has failed: first of all, because its context is done. */
function failureOf(ctx: Context, error: unknown): unknown {
  try {
    throwIfDone(ctx);
  } catch (reason) {
    return reason;
  }
  const isFromGrpc = error instanceof Error && 'code' in error && 'metadata' in error;
  return isFromGrpc ? fromStatus(error as ServiceError) : error;
}
