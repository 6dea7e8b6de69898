import type { ActivityKey, Peers } from '@samovar/activity';
import { Uuid } from '@samovar/repos';
import { expect, it } from 'vitest';
import { Homes } from './homes.ts';

const activities: readonly ActivityKey[] = Array.from({ length: 3_000 }, (_, i) => {
  const repoId = Uuid.parse(`0190f3a4-5b6c-7d8e-9f00-${String(i).padStart(12, '0')}`);
  return { entity: { kind: 'repo', repoId }, name: 'tea' };
});
const names = (count: number) => Array.from({ length: count }, (_, i) => `worker-${i}`);

function peersOf(self: string, workers: readonly string[], runs = new Set(['repo/tea'])): Peers {
  return { self, all: workers.map((worker) => ({ worker, runs })) };
}

/** The worker that each activity is at home with. */
function homesOf(workers: readonly string[]): string[] {
  const all = workers.map((worker) => {
    const homes = new Homes();
    homes.learn(peersOf(worker, workers));
    return { worker, homes };
  });
  return activities.map((activity) => {
    const owners = all.filter(({ homes }) => homes.has(activity)).map(({ worker }) => worker);
    expect(owners).toHaveLength(1);
    return owners[0] ?? '';
  });
}

it('are one for each activity, and for about as many each', () => {
  const shares = Map.groupBy(homesOf(names(5)), (worker) => worker);
  expect(shares.size).toBe(5);
  for (const { length } of shares.values()) expect(Math.abs(length - 600)).toBeLessThan(120);
});

it('stay as they are, save for those that a new worker takes', () => {
  const [before, after] = [homesOf(names(4)), homesOf(names(5))];
  expect(new Set(after.filter((worker, i) => worker !== before[i]))).toEqual(new Set(['worker-4']));
});

it('are here for all while no others are known to run the like', () => {
  const homes = new Homes();
  expect(activities.every((activity) => homes.has(activity))).toBe(true);
  homes.learn(peersOf('worker-0', names(5), new Set(['repo/milk', 'registry/tea'])));
  expect(activities.every((activity) => homes.has(activity))).toBe(true);
});

it('change with other workers, what they run, and the own name only', () => {
  const homes = new Homes();
  const [ann, bob] = [peersOf('ann', ['ann']), peersOf('ann', ['ann', 'bob'])];
  expect([ann, ann, bob, bob].map((peers) => homes.learn(peers))).toEqual([true, false, true, false]);
  const [own, other] = bob.all;
  if (own === undefined || other === undefined) throw new Error('two workers');
  const more = new Set(['repo/tea', 'repo/milk']);
  expect(homes.learn({ self: 'ann', all: [{ ...own, runs: more }, other] })).toBe(false);
  expect(homes.learn({ self: 'ann', all: [own, { ...other, runs: more }] })).toBe(true);
  expect(homes.learn({ self: 'anna', all: [own, { ...other, runs: more }] })).toBe(true);
});
