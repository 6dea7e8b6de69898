import { type GrpcService, grpcService } from '@samovar/api';
import { type DispatchRequest, Messages } from '@samovar/api/entities/v1/messages';
import type { AnyCall, Bus } from '@samovar/bus';
import { MalformedJsonError, UnknownMessageError } from './errors.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Every command and query that the bus handles. */
export function messagesService(bus: Bus): GrpcService {
  let known: ReadonlyMap<string, AnyCall> = new Map();
  const named = (name: string): AnyCall => {
    // Looked up afresh for a name that is not among them: handlers may be added at any time.
    if (!known.has(name)) {
      const calls = bus.catalogue().flatMap((entry) => ('handledAt' in entry ? [entry.message] : []));
      known = new Map(calls.map((call) => [call.name, call]));
    }
    const call = known.get(name);
    if (call === undefined) throw new UnknownMessageError(name.slice(0, 200));
    return call;
  };
  return grpcService(Messages, {
    async dispatch(ctx, request) {
      const message = named(request.message);
      const result = await bus.dispatch(ctx, message, message.parse(argsOf(request)));
      return result === undefined ? {} : { result: Buffer.from(JSON.stringify(result)) };
    },
  });
}

/** @throws {MalformedJsonError} */
function argsOf({ args }: DispatchRequest): unknown {
  if (args.length === 0) return {};
  try {
    return JSON.parse(utf8.decode(args));
  } catch (error) {
    throw new MalformedJsonError((error as Error).message);
  }
}
