import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Package } from '@samovar/hierarchy/packages';

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** The parts of vitest's JSON report that are counted. */
export interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  /** Skipped. */
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

/** Counts, and what is wrong beyond failing tests; each of these problems is in `failed` too. */
export interface Results {
  readonly counts: Counts;
  readonly problems: readonly string[];
}

export const none: Counts = { passed: 0, failed: 0, skipped: 0 };

export function add(a: Counts, b: Counts): Counts {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped };
}

/** `12 passed, 0 failed`, and `, 1 skipped` where there are some. */
export function format({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/** The results of one package. A test file that could not even be loaded counts as a failure, as do no tests at all. */
export function countReport(name: string, report: VitestReport): Results {
  const { numPassedTests: passed, numFailedTests, numPendingTests, numTodoTests } = report;
  const skipped = numPendingTests + numTodoTests;
  const problems = report.testResults
    .filter((file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'))
    .map((file) => `${name}: ${file.name} failed outside of its tests`);
  if (passed + numFailedTests + skipped + problems.length === 0)
    problems.push(`${name}: has a test script, but no tests`);
  return { counts: { passed, failed: numFailedTests + problems.length, skipped }, problems };
}

/** Adds up what the packages' tests left in test-results.json. A package that left none counts as a failure. */
export function readResults(root: string, packages: readonly Package[]): Results {
  const all = packages.map(({ name, folder }): Results => {
    const file = join(root, folder, 'test-results.json');
    try {
      return countReport(name, JSON.parse(readFileSync(file, 'utf8')) as VitestReport);
    } catch (error) {
      const problem = `${name}: no usable test-results.json: ${error instanceof Error ? error.message : String(error)}`;
      return { counts: { ...none, failed: 1 }, problems: [problem] };
    }
  });
  return {
    counts: all.reduce((sum, { counts }) => add(sum, counts), none),
    problems: all.flatMap(({ problems }) => problems),
  };
}

/** Removes what earlier runs left, so that only this run is counted. */
export function removeResults(root: string, packages: readonly Package[]): void {
  for (const { folder } of packages) rmSync(join(root, folder, 'test-results.json'), { force: true });
}
