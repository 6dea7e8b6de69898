import type { ServerWritableStream } from '@grpc/grpc-js';
import { type CancelScope, type Context, throwIfDone } from '@samovar/context';
import type { Lifetime, Streaming } from './lifetime.ts';
import type { EncodedRequest } from './request.ts';

export type StreamCall = ServerWritableStream<EncodedRequest, Buffer>;

/** How a call that streams is answered and ended. */
export interface Streams {
  readonly lifetime: Lifetime;
  /** Ends a call with what has gone wrong. */
  fail(call: StreamCall, error: unknown): void;
}

export const asTheyAre = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/**
 * Sends what a handler gives, and asks it for the next message when the connection has taken the last: a caller that
 * reads slowly is asked to read before more is made. Callbacks, and neither signal nor generator, as there may be
 * thousands of calls that wait.
 */
export class Pump implements Streaming {
  readonly #streams: Streams;
  readonly #call: StreamCall;
  readonly #scope: CancelScope;
  #messages: AsyncIterator<Uint8Array> | undefined;
  #isWriting = false;
  #isOver = false;

  /** `scope` is disposed when the call is over. */
  constructor(streams: Streams, call: StreamCall, scope: CancelScope) {
    this.#streams = streams;
    this.#call = call;
    this.#scope = scope;
  }

  run(handle: (ctx: Context) => AsyncIterable<Uint8Array>): void {
    const { ctx } = this.#scope;
    this.#streams.lifetime.add(this);
    this.#call.on('cancelled', () => this.stop());
    if (ctx.deadline !== undefined) ctx.signal.addEventListener('abort', () => this.stop(), { once: true });
    try {
      this.#messages = handle(ctx)[Symbol.asyncIterator]();
      this.#ask();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Has the handler end. Whatever it ends with, the call fails with what its context is done for. */
  stop(): void {
    this.#scope.cancel();
    this.#leave();
    // Whoever is gone may never take it.
    if (this.#isWriting) this.#ask();
  }

  #ask(): void {
    if (this.#isOver) return;
    this.#isWriting = false;
    try {
      throwIfDone(this.#scope.ctx);
      (this.#messages as AsyncIterator<Uint8Array>).next().then(
        (result) => this.#got(result),
        (error: unknown) => this.#fail(error),
      );
    } catch (error) {
      this.#fail(error);
    }
  }

  #got({ done, value }: IteratorResult<Uint8Array>): void {
    try {
      throwIfDone(this.#scope.ctx);
      if (done) {
        this.#call.end();
        this.#end();
      } else {
        this.#isWriting = true;
        this.#call.write(asTheyAre(value), () => this.#ask());
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#leave();
    this.#streams.fail(this.#call, error);
    this.#end();
  }

  /** Lets go of the messages, also while one is waited for. */
  #leave(): void {
    this.#messages?.return?.().catch(() => {});
  }

  #end(): void {
    this.#isOver = true;
    this.#scope[Symbol.dispose]();
    this.#streams.lifetime.remove(this);
  }
}
