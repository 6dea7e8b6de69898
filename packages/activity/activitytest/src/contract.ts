import { afterEach, beforeEach, describe } from 'vitest';
import { Bench, type EngineTraits, type MakeEngine } from './contract/bench.ts';
import { leasing } from './contract/leasing.ts';
import { limits } from './contract/limits.ts';
import { outcomes } from './contract/outcomes.ts';
import { retries } from './contract/retries.ts';
import { running } from './contract/running.ts';
import { sharing } from './contract/sharing.ts';
import { starting } from './contract/starting.ts';
import { stopping } from './contract/stopping.ts';
import { fakeWorld, type World } from './contract/world.ts';

export type { EngineTraits, MakeEngine } from './contract/bench.ts';
export { entityEventsContract } from './contract/events.ts';
export { leasesContract } from './contract/leases.ts';
export { logWorld, type World } from './contract/world.ts';

/**
 * The promises of an engine of activities, as a vitest suite. `make` makes the engine under test; it is given a clock
 * that stands still. `openWorld` opens, for each test, what the activities are run over: by default, events in memory.
 */
export function engineContract(
  name: string,
  make: MakeEngine,
  traits: EngineTraits = {},
  openWorld: () => Promise<World> = fakeWorld,
): void {
  describe(`${name} as an engine of activities`, () => {
    let current: Bench;
    beforeEach(async () => {
      current = new Bench(make, traits, await openWorld());
    });
    afterEach(() => current[Symbol.asyncDispose]());
    const bench = () => current;
    describe('starts', () => starting(bench));
    describe('runs', () => running(bench));
    describe('of a run that', () => outcomes(bench));
    describe('tries again', () => retries(bench));
    describe('limits', () => limits(bench));
    describe('leases', () => leasing(bench));
    describe('shares activities', () => sharing(bench));
    describe('stops', () => stopping(bench));
  });
}
