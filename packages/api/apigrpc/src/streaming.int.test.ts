import { once } from 'node:events';
import { connect } from 'node:http2';
import { create, toBinary } from '@bufbuild/protobuf';
import { type ClientReadableStream, type ServiceError, status } from '@grpc/grpc-js';
import { type GrpcService, grpcService } from '@samovar/api';
import { HeadsResponseSchema, LiveBroadcast } from '@samovar/api/entities/v1/broadcast';
import type { CancelScope, Context } from '@samovar/context';
import { DomainError } from '@samovar/errors';
import { expect, it, onTestFinished, vi } from 'vitest';
import { asIs, clientOf, metadataOf, startGrpc, untilDone } from '../testing.ts';

const path = '/samovar.entities.v1.LiveBroadcast/Heads';
const message = (bytes: number) =>
  toBinary(HeadsResponseSchema, create(HeadsResponseSchema, { heads: [{ head: 'x'.repeat(bytes) }] }));

/** A service of which one method streams. */
function streaming(heads: (ctx: Context) => AsyncIterable<Uint8Array>): GrpcService {
  const none = async function* () {};
  return grpcService(LiveBroadcast, { aggregateSignals: none, heads, head: async () => ({}) });
}

async function open(service: GrpcService, deadline?: Date) {
  const grpc = await startGrpc({ services: [service] });
  const options = deadline === undefined ? {} : { deadline };
  const call: ClientReadableStream<Buffer> = clientOf(grpc.target).makeServerStreamRequest(
    path,
    asIs,
    asIs,
    Buffer.alloc(0),
    metadataOf(),
    options,
  );
  const ended = new Promise<ServiceError | undefined>((resolve) => {
    call.on('error', resolve);
    call.on('end', () => resolve(undefined));
  });
  return { ...grpc, call, ended };
}

it('sends messages in order, as they are', async () => {
  const sent = [1, 2, 300].map(message);
  const { call } = await open(
    streaming(async function* () {
      yield* sent;
    }),
  );
  const got: Uint8Array[] = [];
  for await (const each of call) got.push(new Uint8Array(each as Buffer));
  expect(got).toEqual(sent);
});

it('makes no more for a caller that does not read than the connection holds', async () => {
  const made: number[] = [];
  const service = streaming(async function* () {
    const call = made.push(0) - 1;
    for (let i = 1; i <= 100; i++) {
      made[call] = i;
      yield message(64 * 1024);
    }
  });
  const { target } = await startGrpc({ services: [service] });
  const session = connect(`http://${target}`);
  onTestFinished(() => session.destroy());
  const headers = { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' };
  const stream = session.request(headers).end(Buffer.alloc(5));
  await once(stream, 'response');
  // Others are served meanwhile.
  const other = clientOf(target).makeServerStreamRequest(path, asIs, asIs, Buffer.alloc(0), metadataOf(), {});
  await once(other.resume(), 'end');
  expect(made[1]).toBe(100);
  expect(made[0]).toBeLessThan(3);
  await once(stream.resume(), 'end');
  expect(made[0]).toBe(100);
});

it('fails with what the handler has failed with, behind what it has sent', async () => {
  const { call, ended } = await open(
    streaming(async function* () {
      yield message(1);
      throw new DomainError('data_loss', 'library.burnt', { publicMessage: 'burnt' });
    }),
  );
  const got = vi.fn();
  call.on('data', got);
  expect(await ended).toMatchObject({ code: status.DATA_LOSS, details: 'burnt' });
  expect(got).toHaveBeenCalledOnce();
});

it.each<[string, number | undefined, (call: ClientReadableStream<Buffer>) => void, number]>([
  ['is gone', undefined, (call) => call.cancel(), status.CANCELLED],
  ['has a deadline that passes', 1_000, () => {}, status.DEADLINE_EXCEEDED],
])('ends the handler when the caller %s', async (_, ms, leave, code) => {
  const contexts: Context[] = [];
  let isOver = false;
  const deadline = ms === undefined ? undefined : new Date(Date.now() + ms);
  const service = streaming(async function* (ctx) {
    contexts.push(ctx);
    try {
      yield message(1);
      await untilDone(ctx);
    } finally {
      isOver = true;
    }
  });
  const { call, ended, lines } = await open(service, deadline);
  call.resume();
  await vi.waitUntil(() => contexts.length === 1);
  leave(call);
  expect(await ended).toMatchObject({ code });
  await vi.waitUntil(() => isOver);
  expect(lines).toEqual([]);
});

it('tells callers to ask another server when it stops', async () => {
  const { call, ended, intake, running } = await open(
    streaming(async function* (ctx) {
      yield message(1);
      await untilDone(ctx);
    }),
  );
  await new Promise((resolve) => call.once('data', resolve));
  intake.cancel();
  expect(await ended).toMatchObject({ code: status.UNAVAILABLE, details: 'the server is stopping' });
  await running;
});

it.each<[string, (call: ClientReadableStream<Buffer>, intake: CancelScope) => void, number]>([
  ['the caller is gone', (call) => call.cancel(), status.CANCELLED],
  ['the server stops', (_, intake) => intake.cancel(), status.UNAVAILABLE],
])('lets go of messages that are waited for when %s', async (_, leave, code) => {
  const never = Promise.withResolvers<IteratorResult<Uint8Array>>();
  const next = vi.fn(() => never.promise);
  const letGo = vi.fn(async (): Promise<IteratorResult<Uint8Array>> => {
    never.resolve({ done: true, value: undefined });
    return never.promise;
  });
  const messages = { next, return: letGo };
  const { call, ended, intake, lines } = await open(streaming(() => ({ [Symbol.asyncIterator]: () => messages })));
  await vi.waitUntil(() => next.mock.calls.length === 1);
  leave(call, intake);
  expect(await ended).toMatchObject({ code });
  await vi.waitFor(() => expect(letGo).toHaveBeenCalled());
  expect(next).toHaveBeenCalledOnce();
  expect(lines).toEqual([]);
});
