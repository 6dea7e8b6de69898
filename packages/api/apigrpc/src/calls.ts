import {
  create,
  type DescMessage,
  type DescMethod,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import type {
  handleServerStreamingCall,
  handleUnaryCall,
  MethodDefinition,
  ServerUnaryCall,
  ServerWritableStream,
  ServiceDefinition,
  sendUnaryData,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { GrpcService } from '@samovar/api';
import {
  type CancelScope,
  type Context,
  throwIfDone,
  withCancel,
  withTimeout,
  withTraceParent,
} from '@samovar/context';
import { DomainError } from '@samovar/errors';
import type { Logger } from '@samovar/server';
import { MalformedMessageError, StoppingError } from './errors.ts';
import type { Lifetime } from './lifetime.ts';
import { toStatus } from './status.ts';

type Unary = (ctx: Context, request: MessageShape<DescMessage>) => Promise<MessageInitShape<DescMessage>>;
type Streaming = (ctx: Context, request: MessageShape<DescMessage>) => AsyncIterable<Uint8Array>;
type AnyServerCall = ServerUnaryCall<Buffer, Buffer> | ServerWritableStream<Buffer, Buffer>;

const asTheyAre = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const toBlame: ReadonlySet<string> = new Set(['internal', 'unknown', 'data_loss']);

/** Has the handlers of a service answer gRPC's calls. */
export class ServiceAdapter {
  readonly definition: ServiceDefinition;
  readonly implementation: UntypedServiceImplementation;
  readonly #lifetime: Lifetime;
  readonly #logger: Logger;

  constructor({ schema, handlers }: GrpcService, lifetime: Lifetime, logger: Logger) {
    this.#lifetime = lifetime;
    this.#logger = logger;
    this.definition = Object.fromEntries(schema.methods.map((method) => [method.localName, definitionOf(method)]));
    this.implementation = Object.fromEntries(
      schema.methods.map((method) => [method.localName, this.#handle(method, handlers[method.localName])]),
    );
  }

  #handle(
    method: DescMethod,
    handler: unknown,
  ): handleUnaryCall<Buffer, Buffer> | handleServerStreamingCall<Buffer, Buffer> {
    if (method.methodKind !== 'unary') {
      return (call: ServerWritableStream<Buffer, Buffer>) => void this.#stream(method, handler as Streaming, call);
    }
    return (call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) =>
      void this.#answer(method, handler as Unary, call, done);
  }

  /** Never rejects. */
  async #answer(
    method: DescMethod,
    handler: Unary,
    call: ServerUnaryCall<Buffer, Buffer>,
    done: sendUnaryData<Buffer>,
  ): Promise<void> {
    using _ = this.#lifetime.begin();
    using scope = scopeOf(call, this.#lifetime.work);
    try {
      const answer = await handler(scope.ctx, this.#requestOf(call, method));
      done(null, asTheyAre(toBinary(method.output, create(method.output, answer))));
    } catch (error) {
      done(toStatus(this.#failure(call, error)));
    }
  }

  /** Never rejects. */
  async #stream(method: DescMethod, handler: Streaming, call: ServerWritableStream<Buffer, Buffer>): Promise<void> {
    using _ = this.#lifetime.begin();
    using scope = scopeOf(call, this.#lifetime.streaming);
    try {
      for await (const bytes of handler(scope.ctx, this.#requestOf(call, method))) {
        await write(call, asTheyAre(bytes), scope.ctx);
      }
      call.end();
    } catch (error) {
      call.emit('error', toStatus(this.#failure(call, error)));
    }
  }

  /** @throws {StoppingError} @throws {MalformedMessageError} */
  #requestOf({ request }: AnyServerCall, { input }: DescMethod): MessageShape<DescMessage> {
    if (this.#lifetime.intake.aborted) throw new StoppingError();
    try {
      return fromBinary(input, request);
    } catch (error) {
      throw new MalformedMessageError(input.typeName, (error as Error).message);
    }
  }

  #failure(call: AnyServerCall, thrown: unknown): DomainError {
    const error = DomainError.from(thrown);
    if (toBlame.has(error.status)) {
      this.#logger.error(`a call failed: ${error.message}`, { method: call.getPath(), id: error.id, err: thrown });
    }
    const isCut = error.status === 'canceled' && this.#lifetime.intake.aborted && !call.cancelled;
    return isCut ? new StoppingError() : error;
  }
}

function definitionOf({ parent, name, methodKind }: DescMethod): MethodDefinition<Buffer, Buffer> {
  return {
    path: `/${parent.typeName}/${name}`,
    requestStream: false,
    responseStream: methodKind === 'server_streaming',
    requestSerialize: asTheyAre,
    requestDeserialize: asTheyAre,
    responseSerialize: asTheyAre,
    responseDeserialize: asTheyAre,
  };
}

/** Ends with the deadline of the call, and when its caller is gone. */
function scopeOf(call: AnyServerCall, lifetime: Context): CancelScope {
  const parent = withTraceParent(lifetime, call.metadata.get('traceparent')[0]);
  const deadline = Number(call.getDeadline());
  const scope = deadline === Infinity ? withCancel(parent) : withTimeout(parent, Math.max(0, deadline - Date.now()));
  call.once('cancelled', () => scope.cancel());
  if (call.cancelled) scope.cancel();
  return scope;
}

/** Resolves when the connection has taken the message: a caller that reads slowly is asked to read before more is made. */
async function write(call: ServerWritableStream<Buffer, Buffer>, bytes: Buffer, ctx: Context): Promise<void> {
  throwIfDone(ctx);
  await new Promise<void>((resolve) => {
    const go = () => {
      ctx.signal.removeEventListener('abort', go);
      resolve();
    };
    ctx.signal.addEventListener('abort', go);
    call.write(bytes, go);
  });
  throwIfDone(ctx);
}
