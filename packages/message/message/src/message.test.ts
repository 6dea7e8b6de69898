import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { type ArgsOf, command, event, InvalidMessageError, query, type ResultOf } from './message.ts';

const Letter = z.string().length(1);
const GetLetterQuery = query('alphabetical.GetLetterQuery', z.object({ id: z.int().nonnegative() }), Letter);
const DeleteLetterCommand = command(
  'alphabetical.DeleteLetterCommand',
  z.object({ id: z.int(), reason: z.string().default('none') }),
);
const LetterDeleted = event('alphabetical.LetterDeleted', z.object({ id: z.int() }));

describe('types', () => {
  it('follow from the schemas', () => {
    expectTypeOf<ArgsOf<typeof GetLetterQuery>>().toEqualTypeOf<{ id: number }>();
    expectTypeOf<ResultOf<typeof GetLetterQuery>>().toEqualTypeOf<string>();
    expectTypeOf<ArgsOf<typeof DeleteLetterCommand>>().toEqualTypeOf<{ id: number; reason?: string | undefined }>();
    expectTypeOf(DeleteLetterCommand.parse).returns.toEqualTypeOf<{ id: number; reason: string }>();
    expectTypeOf<ResultOf<typeof DeleteLetterCommand>>().toEqualTypeOf<void>();
    expectTypeOf<ArgsOf<typeof LetterDeleted>>().toEqualTypeOf<{ id: number }>();
    expect([GetLetterQuery.kind, DeleteLetterCommand.kind, LetterDeleted.kind]).toEqual(['query', 'command', 'event']);
  });
});

describe('parse', () => {
  it('returns the struct with its defaults', () => {
    expect(DeleteLetterCommand.parse({ id: 3 })).toEqual({ id: 3, reason: 'none' });
  });

  it('names the message and every failing path', () => {
    const SendCommand = command(
      'post.SendCommand',
      z.object({ to: z.object({ zip: z.int() }), lines: z.string().array() }),
    );
    const attempt = () => SendCommand.parse({ to: { zip: 'x' }, lines: ['a', 7] });
    expect(attempt).toThrow(InvalidMessageError);
    expect(attempt).toThrow(
      expect.objectContaining({
        status: 'invalid_argument',
        id: 'message.invalid',
        publicMessage: expect.stringMatching(/^post\.SendCommand is invalid: to\.zip: .*; lines\.1: /),
        details: {
          message: 'post.SendCommand',
          faults: [
            { path: ['to', 'zip'], message: expect.any(String) },
            { path: ['lines', 1], message: expect.any(String) },
          ],
        },
      }),
    );
  });

  it.each([undefined, null, 'text', [], 7])('refuses %s', (value) => {
    expect(() => GetLetterQuery.parse(value)).toThrow(InvalidMessageError);
  });

  it('refuses unknown fields of commands and queries, and drops those of events', () => {
    expect(() => GetLetterQuery.parse({ id: 1, idd: 2 })).toThrow(/idd/);
    expect(() => DeleteLetterCommand.parse({ id: 1, force: true })).toThrow(/force/);
    expect(LetterDeleted.parse({ id: 1, by: 'newer writer' })).toEqual({ id: 1 });
  });
});

describe('jsonSchema', () => {
  it('describes what a sender may send', () => {
    expect(DeleteLetterCommand.jsonSchema()).toEqual({
      type: 'object',
      properties: { id: expect.objectContaining({ type: 'integer' }), reason: { type: 'string', default: 'none' } },
      required: ['id'],
      additionalProperties: false,
    });
  });

  it('describes the result, where there is one', () => {
    expect(GetLetterQuery.resultJsonSchema()).toEqual({ type: 'string', minLength: 1, maxLength: 1 });
    expect(DeleteLetterCommand.resultJsonSchema()).toBeUndefined();
  });
});

describe('names', () => {
  const none = z.object({});

  it.each(['PingRegistry', 'InitRepo', 'ResetPassword', 'ReadMail', 'EmbedVideo', 'Feed', 'Question'])(
    'a command may be %sCommand',
    (verb) => {
      expect(command(`a.${verb}Command`, none).name).toBe(`a.${verb}Command`);
    },
  );

  it.each([
    ['a.InitRepo', /does not end in Command/],
    ['a.Command', /says nothing/],
    ['a.initRepoCommand', /is not <domain>/],
    ['InitRepoCommand', /is not <domain>/],
    ['A.InitRepoCommand', /is not <domain>/],
    ['a.b.InitRepoCommand', /is not <domain>/],
    ['a.CreatedRepoCommand', /not imperative: 'Created'/],
    ['a.CreatingRepoCommand', /not imperative: 'Creating'/],
    ['a.SentLetterCommand', /not imperative: 'Sent'/],
  ])('a command cannot be %s', (name, why) => {
    expect(() => command(name, none)).toThrow(why);
  });

  it.each(['StickersSent', 'RepoInitialized', 'CommitsRecorded', 'HeadMoved', 'PasswordReset', 'ScanProgressed'])(
    'an event may be %s',
    (name) => {
      expect(event(`a.${name}`, none).name).toBe(`a.${name}`);
    },
  );

  it.each([
    ['a.SendStickers', /past tense/],
    ['a.Feed', /past tense/],
    ['a.StickersSentCommand', /is an event/],
  ])('an event cannot be %s', (name, why) => {
    expect(() => event(name, none)).toThrow(why);
  });

  it('a query ends in Query and returns its result', () => {
    expect(() => query('a.GetLetter', none, Letter)).toThrow(/does not end in Query/);
    expect(() => query('a.GetLetterQuery', z.object({ result: z.string() }), Letter)).toThrow(/returns its result/);
  });
});

describe('a versioned event', () => {
  const StickersSent = event('stickers.StickersSent', z.object({ userId: z.string(), count: z.int().positive() }), {
    version: 3,
    upcast: {
      1: (old: { user: string }) => ({ userId: old.user }),
      2: (old: { userId: string }) => ({ ...old, count: 1 }),
    },
    stream: (data) => `stickers.${data.userId}`,
  });

  it('reads every older version', () => {
    expect(StickersSent.upcast(1, { user: 'ann' })).toEqual({ userId: 'ann', count: 1 });
    expect(StickersSent.upcast(2, { userId: 'ann' })).toEqual({ userId: 'ann', count: 1 });
    expect(StickersSent.upcast(3, { userId: 'ann', count: 5 })).toEqual({ userId: 'ann', count: 5 });
    expect(StickersSent.stream?.({ userId: 'ann', count: 5 })).toBe('stickers.ann');
  });

  it.each([0, 4, 1.5, Number.NaN])('refuses version %s', (version) => {
    expect(() => StickersSent.upcast(version, {})).toThrow(/reads versions 1 to 3/);
  });

  it('needs a step from each older version, and no other', () => {
    const step = (old: object) => old;
    expect(() => event('a.LetterSent', z.object({}), { version: 3, upcast: { 1: step } })).toThrow(/from version 2/);
    expect(() => event('a.LetterSent', z.object({}), { upcast: { 1: step } })).toThrow(/not below 1/);
    expect(() => event('a.LetterSent', z.object({}), { version: 0 })).toThrow(/not 1, 2, 3/);
  });
});
