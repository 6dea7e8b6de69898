import { RecordingLogger } from '@samovar/activitytest';
import { expect, it } from 'vitest';
import { NatsWorkers } from './activitynats.ts';

it.each(['http://a', 'nats://me:secret@a/path', 'nats://me:secret@a,you:secret@b', 'nats://me:secret%ZZ@a'])(
  '%s is refused without repeating what is secret',
  async (url) => {
    const opening = NatsWorkers.open(url, { cluster: 'tea', logger: new RecordingLogger() });
    const error: unknown = await opening.catch((error: unknown) => error);
    expect(error).toMatchObject({ id: 'activity.invalidArgument', details: { field: 'url' } });
    expect((error as Error).stack).not.toContain('secret');
  },
);
