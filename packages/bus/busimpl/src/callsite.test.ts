import { describe, expect, it } from 'vitest';
import { callSite, placeOf } from './callsite.ts';

describe('callSite', () => {
  function callee(): string {
    return callSite();
  }

  it('is where the function was called', () => {
    expect(callee()).toMatch(/callsite\.test\.ts:10:\d+$/);
    expect([1].map(callee)[0]).not.toMatch(/callsite\.test\.ts:10:/);
  });

  it('does not depend on how long stacks are to be', () => {
    const limit = Error.stackTraceLimit;
    try {
      Error.stackTraceLimit = 0;
      expect(callee()).toMatch(/callsite\.test\.ts:18:\d+$/);
      expect(Error.stackTraceLimit).toBe(0);
    } finally {
      Error.stackTraceLimit = limit;
    }
  });
});

describe('placeOf', () => {
  it.each([
    ['    at init (/srv/app/service.ts:4:9)', '/srv/app/service.ts:4:9'],
    ['    at /srv/app/service.ts:4:9', '/srv/app/service.ts:4:9'],
    ['    at src/service.ts:4:9', 'src/service.ts:4:9'],
    ['    at async file:///srv/app/service.ts:4:9', '/srv/app/service.ts:4:9'],
    ['    at Service.init (file:///srv/my%20app/service.ts:4:9)', '/srv/my app/service.ts:4:9'],
    ['    at new Service (/srv/app (old)/service.ts:4:9)', '/srv/app (old)/service.ts:4:9'],
    ['    at Object.init [as run] (node:internal/x:4:9)', 'node:internal/x:4:9'],
    ['Error\n    at run (C:\\app\\service.ts:4:9)', 'C:\\app\\service.ts:4:9'],
    ['    at Array.map (<anonymous>)', 'an unknown place'],
    ['', 'an unknown place'],
  ])('of %j is %s', (line, place) => {
    expect(placeOf(line)).toBe(place);
  });
});
