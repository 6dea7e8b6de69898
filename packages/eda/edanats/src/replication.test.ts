import { LogUnavailableError } from '@samovar/eda';
import { describe, expect, it } from 'vitest';
import { comparesRepeated, guardOf, mayDisagree } from './replication.ts';

describe('heads of streams', () => {
  it.each(['2.9.0', '2.10.13', '2.10.27', '2.11.0', '2.12.0', '3.0.0'])(
    'are compared by one server of version %s as they should be',
    (version) => {
      expect(guardOf(version, 1)).toBe('subject');
    },
  );

  it.each(['2.12.0', '2.12.0-RC.1', '2.15.1', '2.100.0', '3.0.0'])('are so by three of version %s', (version) => {
    expect(guardOf(version, 3)).toBe('subject');
  });

  it.each(['2.9.10', '2.10.0', '2.10.9', '2.10.13'])('are guarded by the end of the log on three of %s', (version) => {
    expect(guardOf(version, 3)).toBe('end');
  });

  it.each(['2.10.14', '2.10.27', '2.11.0', '2.11.17'])('cannot be guarded on three of %s', (version) => {
    expect(() => guardOf(version, 3)).toThrow(LogUnavailableError);
    expect(() => guardOf(version, 3)).toThrow(`nats-server ${version} does not store`);
  });

  it.each<[string, number, boolean]>([
    ['2.9.10', 1, false],
    ['2.11.17', 1, false],
    ['2.12.0', 1, true],
    ['2.9.10', 3, true],
  ])('of what is stored already are looked at by %s, replicas %d: %s', (version, replicas, does) => {
    expect(comparesRepeated(version, replicas)).toBe(does);
  });
});

it.each<[string, number, boolean]>([
  ['2.9.10', 1, false],
  ['2.9.10', 3, true],
  ['2.10.11', 3, true],
  ['2.10.12', 3, false],
  ['2.15.1', 3, false],
])('servers of %s may disagree, replicas %d: %s', (version, replicas, may) => {
  expect(mayDisagree(version, replicas)).toBe(may);
});
