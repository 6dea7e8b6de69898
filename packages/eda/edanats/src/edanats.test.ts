import { expect, it } from 'vitest';
import { connectNats } from './edanats.ts';

it.each(['nats://me:secret@a/path', 'nats://me:secret@a,you:secret@b', 'nats://me:secret%ZZ@a'])(
  '%s is refused without repeating what is secret',
  async (url) => {
    const error: unknown = await connectNats(url).catch((error: unknown) => error);
    expect(error).toMatchObject({ id: 'eda.invalidArgument', details: { field: 'url' } });
    expect((error as Error).stack).not.toContain('secret');
  },
);
