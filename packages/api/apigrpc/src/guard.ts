import { createHash, timingSafeEqual } from 'node:crypto';
import {
  type Metadata,
  ResponderBuilder,
  ServerInterceptingCall,
  type ServerInterceptor,
  ServerListenerBuilder,
} from '@grpc/grpc-js';
import { StoppingError, UnauthenticatedError } from './errors.ts';
import { toStatus } from './status.ts';

const health = '/grpc.health.';

/** Refuses calls without the token; whether the server is well, anybody may ask. */
export function tokenGuard(token: string): ServerInterceptor {
  const expected = digest(token);
  return ({ path }, call) => {
    const listener = new ServerListenerBuilder()
      .withOnReceiveMetadata((metadata, next) => {
        if (path.startsWith(health) || timingSafeEqual(digest(tokenOf(metadata)), expected)) next(metadata);
        else call.sendStatus(toStatus(new UnauthenticatedError()));
      })
      .build();
    const responder = new ResponderBuilder().withStart((next) => next(listener)).build();
    return new ServerInterceptingCall(call, responder);
  };
}

/** Ends calls of gRPC's own services when `intake` is aborted: they would wait for ever. */
export function intakeGuard(intake: AbortSignal): ServerInterceptor {
  return ({ path }, call) => {
    // As it is: a wrapper for each of thousands of calls that wait is not for nothing.
    if (!path.startsWith('/grpc.')) return call as ServerInterceptingCall;
    const stop = () => call.sendStatus(toStatus(new StoppingError()));
    const forget = () => intake.removeEventListener('abort', stop);
    intake.addEventListener('abort', stop, { once: true });
    const listener = new ServerListenerBuilder().withOnCancel(forget).build();
    const responder = new ResponderBuilder()
      .withStart((next) => next(listener))
      .withSendStatus((status, next) => {
        forget();
        next(status);
      })
      .build();
    return new ServerInterceptingCall(call, responder);
  };
}

function tokenOf(metadata: Metadata): string {
  const [authorization = ''] = metadata.get('authorization');
  return /^bearer +(.*)$/i.exec(String(authorization))?.[1] ?? '';
}

/** Of one length, so that they can be compared in constant time. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
