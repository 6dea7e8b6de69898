import {
  type ActivityKey,
  completed,
  endOfStream,
  type RepoActivity,
  retry,
  SilentRetryAfter,
} from '@samovar/activity';
import { background as ctx } from '@samovar/context';
import { Data } from '@samovar/eda';
import { Uuid } from '@samovar/repos';
import { expect, it } from 'vitest';
import { StepEngine } from './activitytest.ts';

const repoId = Uuid.parse('0190f3a4-5b6c-7d8e-9f00-000000000001');
const repo = { kind: 'repo', repoId } as const;

/** Adds up cups until there are ten; has to wait for a minute when the pot is empty. */
function counting(engine: StepEngine, poured: number[]): RepoActivity['processRepoEvents'] {
  return async (_, __, tail, events) => {
    let last = tail;
    for await (const { id, type, data } of events) {
      if (type === 'PotEmptied') return retry(id, new SilentRetryAfter(new Date(engine.clock.now() + 60_000)));
      last = id;
      poured.push(data.json<number>());
      if (poured.reduce((sum, cups) => sum + cups, 0) >= 10) return completed(last);
    }
    return endOfStream(last);
  };
}

it('runs an activity over the events of a test, step by step', async () => {
  await using engine = new StepEngine();
  const pour = (cups: number) => engine.events.append(repo, { type: 'CupsPoured', data: Data.json(cups) });
  const poured: number[] = [];
  const activity: ActivityKey = { entity: repo, name: 'counting' };
  const [first] = pour(2);
  await engine.startRepoActivity(ctx, repoId, counting(engine, poured), { name: 'counting' });
  expect(engine.activities()).toMatchObject([{ activity, state: 'sleeping', tail: null }]);

  expect(await engine.step()).toMatchObject([{ state: 'sleeping', tail: first }]);
  expect(poured).toEqual([2]);

  engine.events.append(repo, { type: 'PotEmptied' });
  const [last] = pour(8);
  expect(await engine.step()).toMatchObject([{ state: 'retrying', attempts: 1 }]);
  expect(await engine.advance(59_999)).toMatchObject([{ state: 'retrying' }]);
  expect(await engine.advance(1)).toMatchObject([{ state: 'completed', tail: last }]);
  expect(poured).toEqual([2, 8]);
  expect(engine.logger.lines).toEqual([]);
});

it('goes on where another one has stopped', async () => {
  const before = new StepEngine();
  const types: string[] = [];
  const reading: RepoActivity['processRepoEvents'] = async (_, __, tail, events) => {
    let last = tail;
    for await (const { id, type } of events) {
      types.push(type);
      last = id;
    }
    return endOfStream(last);
  };
  before.events.append(repo, { type: 'a' });
  await before.startRepoActivity(ctx, repoId, reading, { name: 'reading' });
  await before.step();
  await before.stop();
  await using engine = new StepEngine(before);
  engine.events.append(repo, { type: 'b' });
  await engine.startRepoActivity(ctx, repoId, reading, { name: 'reading' });
  await engine.step();
  expect(types).toEqual(['a', 'b']);
});
