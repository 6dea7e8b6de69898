import type { DescMessage, DescMethod, DescService, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import type { Context } from '@samovar/context';

/**
 * Answers the calls of one method. The context ends with the call's deadline, and when the caller is gone. What is thrown
 * reaches the caller as a DomainError does; anything else is masked.
 */
type Handler<M extends DescMethod> = M extends {
  readonly methodKind: 'unary';
  readonly input: infer I extends DescMessage;
  readonly output: infer O extends DescMessage;
}
  ? (ctx: Context, request: MessageShape<I>) => Promise<MessageInitShape<O>>
  : M extends { readonly methodKind: 'server_streaming'; readonly input: infer I extends DescMessage }
    ? (ctx: Context, request: MessageShape<I>) => AsyncIterable<Uint8Array>
    : never;

/**
 * A handler for each method of a service, by its local name. One that streams gives each message in its binary form, so
 * that many callers can be sent the same bytes; it is asked for the next when the caller has room for it, and its context
 * also ends when the server stops. Its iterator is
 * returned when the call is over, also while the next message is waited for.
 */
export type GrpcHandlers<S extends DescService = DescService> = {
  readonly [K in keyof S['method']]: Handler<S['method'][K]>;
};

/** A gRPC service that the gRPC face serves beside its own. Bound in module.ts, any number of them. */
export abstract class GrpcService {
  /** As generated from its proto file. One server serves a service once. */
  abstract readonly schema: DescService;
  abstract readonly handlers: Readonly<Record<string, unknown>>;
}

/** Cannot fail. */
export function grpcService<S extends DescService>(schema: S, handlers: GrpcHandlers<S>): GrpcService {
  return { schema, handlers };
}
