import { create, toBinary } from '@bufbuild/protobuf';
import { DispatchRequestSchema } from '@samovar/api/entities/v1/messages';
import { expect, it } from 'vitest';
import { MalformedMessageError } from './errors.ts';
import { EncodedRequest } from './request.ts';

const message = create(DispatchRequestSchema, { message: 'library.CountBooksQuery' });
const bytes = Buffer.from(toBinary(DispatchRequestSchema, message));

it('is what the bytes say, of which it keeps none', () => {
  const request = new EncodedRequest(bytes);
  expect(request.bytes).toBe(bytes);
  expect(request.read(DispatchRequestSchema)).toEqual(message);
  expect(request.bytes).toHaveLength(0);
});

it('says what it should have been', () => {
  const request = new EncodedRequest(bytes.subarray(0, -1));
  expect(() => request.read(DispatchRequestSchema)).toThrow(MalformedMessageError);
  expect(() => new EncodedRequest(Buffer.of(255)).read(DispatchRequestSchema)).toThrow(
    'no samovar.entities.v1.DispatchRequest',
  );
});
