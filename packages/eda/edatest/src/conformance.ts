import { describe } from 'vitest';
import type { Backend, Capability } from './conformance/backend.ts';
import { clockCases } from './conformance/clock.ts';
import { concurrencyCases } from './conformance/concurrency.ts';
import { deliveringCases } from './conformance/delivering.ts';
import { endingCases } from './conformance/ending.ts';
import { erasingCases } from './conformance/erasing.ts';
import { failingCases } from './conformance/failing.ts';
import { hostileCases } from './conformance/hostile.ts';
import { keepingCases } from './conformance/keeping.ts';
import { keysCases } from './conformance/keys.ts';
import { ordealCases } from './conformance/ordeal.ts';
import { parkingCases } from './conformance/parking.ts';
import { progressCases } from './conformance/progress.ts';
import { publishingCases } from './conformance/publishing.ts';
import { readingCases } from './conformance/reading.ts';
import { refusingCases } from './conformance/refusing.ts';
import { replayingCases } from './conformance/replaying.ts';
import { restartingCases } from './conformance/restarting.ts';
import { selectingCases } from './conformance/selecting.ts';
import { serialCases } from './conformance/serial.ts';
import { subscribingCases } from './conformance/subscribing.ts';
import { unorderedCases } from './conformance/unordered.ts';
import { watchingCases } from './conformance/watching.ts';

export type { Backend, Capability, Harness } from './conformance/backend.ts';

/**
 * Declares, as a vitest suite under the backend's name, what every event log promises its callers: the same on each
 * backend. Cases that need a capability the backend lacks are shown as skipped, with the reason it gives.
 */
export function edaConformance(name: string, backend: Backend): void {
  describe(`${name} as an event log`, () => {
    describe('publishing', () => publishingCases(backend));
    describe('refusing', () => refusingCases(backend));
    describe('hostile input', () => hostileCases(backend));
    describe('concurrent publishing', () => concurrencyCases(backend));
    describe('reading', () => readingCases(backend));
    describe('watching', () => watchingCases(backend));
    describe('selecting', () => selectingCases(backend));
    describe('subscribing', () => subscribingCases(backend));
    describe('keeping subscriptions', () => keepingCases(backend));
    describe('progress', () => progressCases(backend));
    describe('delivering', () => deliveringCases(backend));
    describe('serial delivery', () => serialCases(backend));
    describe('failing handlers', () => failingCases(backend));
    describe('ending', () => endingCases(backend));
    describe('erasing', () => erasingCases(backend));
    describe('a clock that jumps', () => clockCases(backend));
    needing(backend, ['keys'], 'delivery by key', () => keysCases(backend));
    needing(backend, ['parking', 'keys'], 'parking', () => parkingCases(backend));
    needing(backend, ['parking', 'keys'], 'replaying', () => replayingCases(backend));
    needing(backend, ['parking', 'keys'], 'parking without an order', () => unorderedCases(backend));
    needing(backend, ['parking', 'keys'], 'keys and parked events', () => ordealCases(backend));
    restartingCases(backend);
  });
}

function needing(backend: Backend, needed: readonly Capability[], name: string, cases: () => void): void {
  const reason = needed.map((capability) => backend.lacks?.[capability]).find((lack) => lack !== undefined);
  if (reason === undefined) describe(name, cases);
  else describe.skip(`${name} (skipped: ${reason})`, cases);
}
