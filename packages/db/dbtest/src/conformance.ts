import { describe } from 'vitest';
import { afterCommitConformance } from './conformance/aftercommit.ts';
import { lockConformance } from './conformance/lock.ts';
import { outsideConformance } from './conformance/outside.ts';
import { retryConformance } from './conformance/retry.ts';
import { transactionConformance } from './conformance/transactions.ts';
import type { FreshDb } from './dbtest.ts';

/** The promises of Db, as a vitest suite. `open` opens a new, empty database for each test. */
export function dbConformance(name: string, open: () => Promise<FreshDb>): void {
  describe(`${name} as a Db`, () => {
    describe('inTransaction', () => {
      transactionConformance(open);
      retryConformance(open);
    });
    describe('outside of a transaction', () => outsideConformance(open));
    describe('lock', () => lockConformance(open));
    describe('afterCommit', () => afterCommitConformance(open));
  });
}
