import type { EntityRef } from '@samovar/activity';
import { FakeEntityEvents } from '@samovar/activitytest';
import { background, CanceledError, withCancel } from '@samovar/context';
import { Uuid } from '@samovar/repos';
import { expect, it, vi } from 'vitest';
import { SharedSignals } from './signals.ts';

const registry: EntityRef = { kind: 'registry', registry: 'main' };
const repo: EntityRef = { kind: 'repo', repoId: Uuid.parse('0190f3a4-5b6c-7d8e-9f00-000000000001') };

function setup() {
  const events = new FakeEntityEvents();
  const opened = vi.spyOn(events, 'signals');
  return { events, opened, shared: new SharedSignals(events) };
}

it('asks the log once for all callers, and tells each what it wants', async () => {
  const { events, opened, shared } = setup();
  const [one, two] = [shared.open(background, ['repo']), shared.open(background, ['registry', 'repo'])];
  expect((await one.next()).value).toEqual([]);
  expect((await two.next()).value).toEqual([]);
  events.append(registry, { type: 'a' });
  expect((await two.next()).value).toEqual([registry]);
  events.append(repo, { type: 'a' });
  expect((await one.next()).value).toEqual([repo]);
  expect((await two.next()).value).toEqual([repo]);
  expect(opened).toHaveBeenCalledTimes(1);
  const context = opened.mock.calls[0]?.[0];
  await one.return(undefined);
  expect(context?.signal.aborted).toBe(false);
  await two.return(undefined);
  expect(context?.signal.aborted).toBe(true);
  const three = shared.open(background, ['repo']);
  expect((await three.next()).value).toEqual([]);
  expect(opened).toHaveBeenCalledTimes(2);
  await three.return(undefined);
});

it('fails for all when the log does, and asks it anew', async () => {
  const { events, opened, shared } = setup();
  const callers = [1, 2].map(() => shared.open(background, ['repo']));
  for (const caller of callers) await caller.next();
  const lost = callers.map((caller) => caller.next());
  events.disconnect(new Error('gone'));
  for (const next of lost) await expect(next).rejects.toThrow('gone');
  const again = shared.open(background, ['repo']);
  expect((await again.next()).value).toEqual([]);
  expect(opened).toHaveBeenCalledTimes(2);
  await again.return(undefined);
});

it('ends with the context of a caller, for that one', async () => {
  const { events, shared } = setup();
  const scope = withCancel(background);
  const [one, two] = [shared.open(scope.ctx, ['repo']), shared.open(background, ['repo'])];
  await Promise.all([one.next(), two.next()]);
  const never = one.next();
  scope.cancel();
  await expect(never).rejects.toThrow(CanceledError);
  await expect(shared.open(scope.ctx, ['repo']).next()).rejects.toThrow(CanceledError);
  events.append(repo, { type: 'a' });
  expect((await two.next()).value).toEqual([repo]);
  await two.return(undefined);
});
