import type { EntityRef } from '@samovar/activity';
import { expect, it } from 'vitest';
import { Gathering } from './gathering.ts';

const [main, tea]: EntityRef[] = ['main', 'tea'].map((registry) => ({ kind: 'registry', registry }));

it('gives what was added, each once, and waits for more', async () => {
  if (main === undefined || tea === undefined) throw new Error('there are two');
  const gathering = new Gathering();
  gathering.add([main, tea]);
  gathering.add([{ ...main }]);
  expect(await gathering.next()).toEqual([main, tea]);
  const next = gathering.next();
  gathering.add([tea]);
  expect(await next).toEqual([tea]);
  gathering.add([]);
  expect(await gathering.next()).toEqual([]);
});

it('fails once all is taken, with the first error', async () => {
  const gathering = new Gathering();
  gathering.add([]);
  for (const message of ['first', 'second']) gathering.fail(new Error(message));
  expect(await gathering.next()).toEqual([]);
  await expect(gathering.next()).rejects.toThrow('first');
  await expect(gathering.next()).rejects.toThrow('first');
  const waiting = new Gathering();
  const next = waiting.next();
  waiting.fail(new Error('while it waits'));
  await expect(next).rejects.toThrow('while it waits');
});
