import {
  create,
  type DescMessage,
  type DescMethod,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import type {
  handleServerStreamingCall,
  handleUnaryCall,
  MethodDefinition,
  ServerUnaryCall,
  ServiceDefinition,
  sendUnaryData,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { GrpcService } from '@samovar/api';
import { type CancelScope, type Context, withCancel, withTimeout, withTraceParent } from '@samovar/context';
import { DomainError } from '@samovar/errors';
import type { Logger } from '@samovar/server';
import { StoppingError } from './errors.ts';
import type { Lifetime } from './lifetime.ts';
import { asTheyAre, Pump, type StreamCall, type Streams } from './pump.ts';
import { EncodedRequest } from './request.ts';
import { toStatus } from './status.ts';

type Unary = (ctx: Context, request: MessageShape<DescMessage>) => Promise<MessageInitShape<DescMessage>>;
type Streaming = (ctx: Context, request: MessageShape<DescMessage>) => AsyncIterable<Uint8Array>;
type UnaryCall = ServerUnaryCall<EncodedRequest, Buffer>;
type AnyServerCall = UnaryCall | StreamCall;

const toBlame: ReadonlySet<string> = new Set(['internal', 'unknown', 'data_loss']);

/** Has the handlers of a service answer gRPC's calls. */
export class ServiceAdapter {
  readonly definition: ServiceDefinition;
  readonly implementation: UntypedServiceImplementation;
  readonly #lifetime: Lifetime;
  readonly #logger: Logger;
  readonly #streams: Streams;

  constructor({ schema, handlers }: GrpcService, lifetime: Lifetime, logger: Logger) {
    this.#lifetime = lifetime;
    this.#logger = logger;
    const fail = (call: StreamCall, error: unknown) => void call.emit('error', toStatus(this.#failure(call, error)));
    this.#streams = { lifetime, fail };
    this.definition = Object.fromEntries(schema.methods.map((method) => [method.localName, definitionOf(method)]));
    this.implementation = Object.fromEntries(
      schema.methods.map((method) => [method.localName, this.#handle(method, handlers[method.localName])]),
    );
  }

  #handle(
    method: DescMethod,
    handler: unknown,
  ): handleUnaryCall<EncodedRequest, Buffer> | handleServerStreamingCall<EncodedRequest, Buffer> {
    if (method.methodKind !== 'unary') {
      return (call: StreamCall) => this.#stream(method, handler as Streaming, call);
    }
    return (call: UnaryCall, done: sendUnaryData<Buffer>) => void this.#answer(method, handler as Unary, call, done);
  }

  /** Never rejects. */
  async #answer(method: DescMethod, handler: Unary, call: UnaryCall, done: sendUnaryData<Buffer>): Promise<void> {
    using _ = this.#lifetime.begin();
    using scope = scopeOf(call, this.#lifetime.work);
    call.once('cancelled', () => scope.cancel());
    try {
      const answer = await handler(scope.ctx, this.#requestOf(call, method));
      done(null, asTheyAre(toBinary(method.output, create(method.output, answer))));
    } catch (error) {
      done(toStatus(this.#failure(call, error)));
    }
  }

  #stream(method: DescMethod, handler: Streaming, call: StreamCall): void {
    const pump = new Pump(this.#streams, call, scopeOf(call, this.#streams.lifetime.streaming));
    pump.run((ctx) => handler(ctx, this.#requestOf(call, method)));
  }

  /** @throws {StoppingError} @throws {MalformedMessageError} */
  #requestOf({ request }: AnyServerCall, { input }: DescMethod): MessageShape<DescMessage> {
    if (this.#lifetime.intake.aborted) throw new StoppingError();
    return request.read(input);
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

function definitionOf({ parent, name, methodKind }: DescMethod): MethodDefinition<EncodedRequest, Buffer> {
  return {
    path: `/${parent.typeName}/${name}`,
    requestStream: false,
    responseStream: methodKind === 'server_streaming',
    requestSerialize: (request) => request.bytes,
    requestDeserialize: (bytes) => new EncodedRequest(bytes),
    responseSerialize: asTheyAre,
    responseDeserialize: asTheyAre,
  };
}

/** Ends with the deadline of the call; at once, if its caller is gone. */
function scopeOf(call: AnyServerCall, lifetime: Context): CancelScope {
  const parent = withTraceParent(lifetime, call.metadata.get('traceparent')[0]);
  const deadline = Number(call.getDeadline());
  const scope = deadline === Infinity ? withCancel(parent) : withTimeout(parent, Math.max(0, deadline - Date.now()));
  if (call.cancelled) scope.cancel();
  return scope;
}
