import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { compareWith, readBaseline, shrink } from './baseline.ts';

const breach = { path: 'a.ts', line: 3, rule: 'layout', message: 'a', mend: 'b' };
const known = { path: 'a.ts', rule: 'layout', message: 'a', why: 'it is old' };

describe('compareWith', () => {
  it('excuses what is known, wherever in the file it stands', () => {
    expect(compareWith([known], [{ ...breach, line: 9 }])).toEqual({ fresh: [], stale: [] });
  });

  it.each([{ path: 'b.ts' }, { rule: 'inversify' }, { message: 'b' }])(
    'does not excuse what differs by $0',
    (other) => {
      const comparison = compareWith([known], [{ ...breach, ...other }]);
      expect(comparison).toEqual({ fresh: [{ ...breach, ...other }], stale: [known] });
    },
  );

  it('excuses one breach by each entry', () => {
    expect(compareWith([known], [breach, { ...breach, line: 5 }])).toMatchObject({ fresh: [{ line: 5 }], stale: [] });
  });
});

it('only shrinks', () => {
  const gone = { ...known, message: 'gone' };
  const fresh = { ...breach, message: 'fresh' };
  expect(shrink([gone, known], compareWith([gone, known], [breach, fresh]))).toEqual([known]);
});

describe('readBaseline', () => {
  const read = (text: string) => {
    const folder = mkdtempSync(join(tmpdir(), 'hierarchy-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'baseline.json'), text);
    return readBaseline(join(folder, 'baseline.json'));
  };

  it('reads entries, and none where there is no file', () => {
    expect(read(JSON.stringify([known]))).toEqual([known]);
    expect(readBaseline('/nowhere/baseline.json')).toEqual([]);
  });

  it.each([
    '{',
    '{}',
    '[null]',
    '[{"path":"a","rule":"b","message":"c"}]',
    '[{"path":"a","rule":"b","message":"c","why":""}]',
  ])('refuses %s', (text) => {
    expect(() => read(text)).toThrow(/baseline\.json/);
  });
});
