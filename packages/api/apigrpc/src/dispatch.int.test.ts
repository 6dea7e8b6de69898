import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { type ServiceError, status } from '@grpc/grpc-js';
import { ErrorInfoSchema, ErrorStatusSchema } from '@samovar/api/entities/v1/errors';
import { DispatchRequestSchema } from '@samovar/api/entities/v1/messages';
import type { Context } from '@samovar/context';
import { DomainError } from '@samovar/errors';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import {
  asIs,
  CountBooksQuery,
  callRaw,
  clientOf,
  dispatch,
  dispatchPath,
  LendBookCommand,
  type RunningGrpc,
  startGrpc,
  untilDone,
} from '../testing.ts';

function infoOf(error: unknown) {
  const [bytes] = (error as ServiceError).metadata.get('grpc-status-details-bin');
  const { code, message, details } = fromBinary(ErrorStatusSchema, bytes as Buffer);
  const [detail] = details;
  expect(detail?.typeUrl).toBe('type.googleapis.com/google.rpc.ErrorInfo');
  const { reason, domain, metadata } = fromBinary(ErrorInfoSchema, detail?.value ?? new Uint8Array());
  return { code, message, reason, domain, details: JSON.parse(metadata.details ?? 'null') as unknown };
}

async function failureOf(answer: Promise<unknown>): Promise<ServiceError> {
  return await answer.then(
    () => Promise.reject(new Error('it has not failed')),
    (error: unknown) => error as ServiceError,
  );
}

describe('a message', () => {
  let grpc: RunningGrpc;
  let client: ReturnType<typeof clientOf>;
  beforeEach(async () => {
    grpc = await startGrpc();
    client = clientOf(grpc.target);
  });

  it('is parsed, dispatched, and its result given back', async () => {
    const lent = vi.fn();
    grpc.bus.addHandler(CountBooksQuery, () => 3);
    grpc.bus.addHandler(LendBookCommand, (_, args) => lent(args));
    expect(await dispatch(client, 'library.CountBooksQuery')).toBe('3');
    expect(await dispatch(client, 'library.CountBooksQuery', '{}')).toBe('3');
    expect(await dispatch(client, 'library.LendBookCommand', '{"isbn":"123"}')).toBe('');
    expect(lent).toHaveBeenCalledExactlyOnceWith({ isbn: '123' });
  });

  it.each([
    ['of no name that is known', 'library.BurnBooksCommand', '{}', 'api.unknownMessage', status.NOT_FOUND],
    ['without a name', '', '{}', 'api.unknownMessage', status.NOT_FOUND],
    ['with what is no JSON', 'library.LendBookCommand', '{', 'api.malformedJson', status.INVALID_ARGUMENT],
    ['with what it does not take', 'library.LendBookCommand', '{"isbn":1}', 'message.invalid', status.INVALID_ARGUMENT],
    ['with what is no struct', 'library.LendBookCommand', '[]', 'message.invalid', status.INVALID_ARGUMENT],
  ])('%s is refused', async (_, name, args, reason, code) => {
    grpc.bus.addHandler(LendBookCommand, () => {});
    const error = await failureOf(dispatch(client, name, args));
    expect(error.code).toBe(code);
    expect(infoOf(error)).toMatchObject({ code, reason, domain: 'samovar', message: error.details });
    expect(grpc.bus.dispatched).toEqual([]);
  });

  it.each([
    ['no protobuf at all', Buffer.from('GET / HTTP/1.1')],
    ['a field cut short', Buffer.from([0x0a, 0x7f, 0x41])],
    ['text that is no UTF-8', Buffer.from([0x0a, 0x02, 0xc3, 0x28])],
  ])('that is %s is refused', async (_, bytes) => {
    const error = await failureOf(callRaw(client, dispatchPath, bytes));
    expect(infoOf(error)).toMatchObject({ code: status.INVALID_ARGUMENT, reason: 'api.malformedMessage' });
  });

  it('that is larger than the server takes is refused, and others are answered', async () => {
    grpc.bus.addHandler(CountBooksQuery, () => 3);
    const giant = JSON.stringify({ isbn: 'x'.repeat(200_000) });
    await expect(dispatch(client, 'library.LendBookCommand', giant)).rejects.toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
    });
    expect(await dispatch(client, 'library.CountBooksQuery')).toBe('3');
  });

  it('fails with what its handler has failed with', async () => {
    grpc.bus.addHandler(CountBooksQuery, () => {
      throw new DomainError('failed_precondition', 'library.closed', {
        publicMessage: 'closed: \u{1F4D6} \ud800',
        message: 'secret',
        details: { until: 'May' },
      });
    });
    const error = await failureOf(dispatch(client, 'library.CountBooksQuery'));
    const message = 'closed: \u{1F4D6} \ufffd';
    expect(error).toMatchObject({ code: status.FAILED_PRECONDITION, details: message });
    expect(infoOf(error)).toMatchObject({ reason: 'library.closed', message, details: { until: 'May' } });
    expect(grpc.lines).toEqual([]);
  });

  it('fails with nothing that is not public, which the log tells', async () => {
    grpc.bus.addHandler(CountBooksQuery, () => {
      throw new Error('the password is hunter2');
    });
    const error = await failureOf(dispatch(client, 'library.CountBooksQuery'));
    expect(error).toMatchObject({ code: status.INTERNAL, details: 'internal error' });
    expect(JSON.stringify([error, infoOf(error)])).not.toContain('hunter2');
    expect(grpc.lines).toMatchObject([
      { level: 'error', message: expect.stringContaining('hunter2'), fields: { method: dispatchPath } },
    ]);
  });

  it('fails with few words, whatever the error says', async () => {
    grpc.bus.addHandler(CountBooksQuery, () => {
      const long = '\u{1F4D6}'.repeat(50_000);
      throw new DomainError('aborted', 'library.talk', { publicMessage: long, details: { long } });
    });
    const error = await failureOf(dispatch(client, 'library.CountBooksQuery'));
    expect(error.code).toBe(status.ABORTED);
    expect(infoOf(error)).toMatchObject({ reason: 'library.talk', details: null });
  });

  it('fails with the rest of an error whose details are no JSON', async () => {
    grpc.bus.addHandler(CountBooksQuery, () => {
      throw new DomainError('aborted', 'library.odd', { publicMessage: 'odd', details: { big: 1n } });
    });
    const error = await failureOf(dispatch(client, 'library.CountBooksQuery'));
    expect(infoOf(error)).toMatchObject({ reason: 'library.odd', message: 'odd', details: null });
  });

  it('is handled under the deadline of its call, and until the caller is gone', async () => {
    const contexts: Context[] = [];
    grpc.bus.addHandler(CountBooksQuery, (ctx) => {
      contexts.push(ctx);
      return untilDone(ctx);
    });
    const deadline = new Date(Date.now() + 1_000);
    await expect(dispatch(client, 'library.CountBooksQuery', '', { deadline })).rejects.toMatchObject({
      code: status.DEADLINE_EXCEEDED,
    });
    await vi.waitFor(() => expect(contexts[0]?.signal.aborted).toBe(true));
    expect(contexts[0]?.deadline?.getTime()).toBeGreaterThan(deadline.getTime() - 5_000);
    const request = toBinary(DispatchRequestSchema, create(DispatchRequestSchema, { message: CountBooksQuery.name }));
    const call = client.makeUnaryRequest(dispatchPath, asIs, asIs, Buffer.from(request), () => {});
    await vi.waitUntil(() => contexts.length === 2);
    expect(contexts[1]).toMatchObject({ deadline: undefined, signal: { aborted: false } });
    call.cancel();
    await vi.waitFor(() => expect(contexts[1]?.signal.aborted).toBe(true));
  });

  it('of a call whose deadline has passed is not dispatched', async () => {
    grpc.bus.addHandler(CountBooksQuery, () => 3);
    const deadline = new Date(Date.now() - 1);
    await expect(dispatch(client, 'library.CountBooksQuery', '', { deadline })).rejects.toMatchObject({
      code: status.DEADLINE_EXCEEDED,
    });
    expect(grpc.bus.dispatched).toEqual([]);
  });
});
