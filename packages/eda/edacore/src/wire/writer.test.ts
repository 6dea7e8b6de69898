import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Writer } from './writer.ts';

const latest = 8.64e15;
const content = fc.record({
  uint: fc.oneof(fc.nat(300), fc.nat({ max: Number.MAX_SAFE_INTEGER })),
  sint: fc.oneof(fc.integer({ min: -300, max: 300 }), fc.integer({ min: -latest, max: latest })),
  text: fc.string({ unit: 'binary', maxLength: 300 }),
  bytes: fc.uint8Array({ maxLength: 300 }),
  inner: fc.oneof(
    fc.string({ maxLength: 200 }),
    fc.nat(70_000).map((length) => 'x'.repeat(length)),
  ),
});

it('writes what the library would', () => {
  fc.assert(
    fc.property(content, ({ uint, sint, text, bytes, inner }) => {
      const writer = new Writer();
      writer.uint(1, uint);
      const outer = writer.begin(2);
      writer.sint(3, sint);
      const start = writer.begin(4);
      writer.text(20, inner);
      writer.end(start);
      writer.end(outer);
      writer.text(5, text);
      writer.bytes(6, bytes);
      const theirs = new BinaryWriter();
      theirs.tag(1, WireType.Varint).uint64(uint).tag(2, WireType.LengthDelimited).fork();
      theirs.tag(3, WireType.Varint).sint64(sint).tag(4, WireType.LengthDelimited).fork();
      theirs.tag(20, WireType.LengthDelimited).string(inner).join().join();
      theirs.tag(5, WireType.LengthDelimited).string(text).tag(6, WireType.LengthDelimited).bytes(bytes);
      expect(Buffer.compare(writer.finish(), theirs.finish())).toBe(0);
    }),
    { numRuns: 500 },
  );
});

it('leaves what it finished alone', () => {
  const [first, second] = ['tea', 'milk'].map((text) => {
    const writer = new Writer();
    writer.text(1, text);
    return writer.finish();
  });
  expect([first, second].map(String)).toEqual(['\n\u0003tea', '\n\u0004milk']);
});
