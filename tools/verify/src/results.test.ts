import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { add, countReport, format, none, readResults, removeResults, type VitestReport } from './results.ts';

function report(counts: Partial<VitestReport> = {}): VitestReport {
  return { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0, testResults: [], ...counts };
}

describe('format', () => {
  it('names skipped tests only where there are some', () => {
    expect(format({ passed: 12, failed: 0, skipped: 0 })).toBe('12 passed, 0 failed');
    expect(format({ passed: 1, failed: 2, skipped: 3 })).toBe('1 passed, 2 failed, 3 skipped');
  });
});

describe('countReport', () => {
  it('counts what passed, failed and was skipped or left to do', () => {
    const counts = { numPassedTests: 5, numFailedTests: 2, numPendingTests: 3, numTodoTests: 1 };
    expect(countReport('tea', report(counts))).toEqual({ counts: { passed: 5, failed: 2, skipped: 4 }, problems: [] });
  });

  it('counts a file that failed outside of its tests once', () => {
    const testResults = [
      { name: 'broken.test.ts', status: 'failed', assertionResults: [] },
      { name: 'hook.test.ts', status: 'failed', assertionResults: [{ status: 'skipped' }] },
      { name: 'red.test.ts', status: 'failed', assertionResults: [{ status: 'failed' }] },
      { name: 'green.test.ts', status: 'passed', assertionResults: [{ status: 'passed' }] },
    ];
    expect(countReport('tea', report({ numPassedTests: 1, numFailedTests: 1, testResults }))).toEqual({
      counts: { passed: 1, failed: 3, skipped: 0 },
      problems: ['tea: broken.test.ts failed outside of its tests', 'tea: hook.test.ts failed outside of its tests'],
    });
  });

  it('counts a package without tests as a failure', () => {
    const { counts, problems } = countReport('tea', report());
    expect(counts).toEqual({ passed: 0, failed: 1, skipped: 0 });
    expect(problems).toEqual(['tea: has a test script, but no tests']);
  });
});

describe('readResults', () => {
  const packages = ['tea', 'pot'].map((shortName) => ({
    name: `@samovar/${shortName}`,
    folder: `packages/${shortName}`,
    shortName,
    domain: shortName,
    tags: [],
    manifest: { name: `@samovar/${shortName}` },
  }));

  function workspace(texts: Readonly<Record<string, string>>): string {
    const root = mkdtempSync(join(tmpdir(), 'verify-'));
    onTestFinished(() => rmSync(root, { recursive: true }));
    for (const { shortName, folder } of packages) {
      mkdirSync(join(root, folder), { recursive: true });
      const text = texts[shortName];
      if (text !== undefined) writeFileSync(join(root, folder, 'test-results.json'), text);
    }
    return root;
  }

  it('adds up every package', () => {
    const text = JSON.stringify(report({ numPassedTests: 2, numPendingTests: 1 }));
    expect(readResults(workspace({ tea: text, pot: text }), packages)).toEqual({
      counts: { passed: 4, failed: 0, skipped: 2 },
      problems: [],
    });
  });

  it.each([undefined, '', '{}'])('counts a package that left %j as a failure, and names it', (text) => {
    const sound = JSON.stringify(report({ numPassedTests: 2 }));
    const { counts, problems } = readResults(
      workspace({ tea: sound, ...(text !== undefined && { pot: text }) }),
      packages,
    );
    expect(counts).toEqual({ passed: 2, failed: 1, skipped: 0 });
    expect(problems).toEqual([expect.stringMatching(/^@samovar\/pot: no usable test-results\.json/)]);
  });

  it('does not see what an earlier run left, once that is removed', () => {
    const root = workspace({ tea: JSON.stringify(report({ numPassedTests: 2 })) });
    removeResults(root, packages);
    expect(readResults(root, packages).counts).toEqual({ passed: 0, failed: 2, skipped: 0 });
  });
});

it('adds nothing to nothing', () => {
  expect(add(none, { passed: 1, failed: 2, skipped: 3 })).toEqual({ passed: 1, failed: 2, skipped: 3 });
});
