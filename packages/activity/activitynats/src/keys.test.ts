import type { EntityRef } from '@samovar/activity';
import { Uuid } from '@samovar/repos';
import { describe, expect, it } from 'vitest';
import { keyOf } from './keys.ts';

const id = Uuid.parse('0190f3a4-5b6c-7d8e-9f00-000000000001');
const names = ['tea', 'Tea', 'te.a', 'te=2Ea', 'te_-a', '.', '..', '.tea', 'tea.', '9', 'té', 't a', '>', '*', '🍵'];
const entities: readonly EntityRef[] = [
  { kind: 'registry', registry: 'main' },
  { kind: 'registry', registry: 'ma.in' },
  { kind: 'registry', registry: '' },
  { kind: 'registryWorkflowIndex', registry: 'main' },
  { kind: 'registryWorkflow', registry: 'main', workflowId: id },
  { kind: 'repo', repoId: id },
  { kind: 'repoWorkflow', repoId: id, workflowId: id },
];

/** The tokens of a key, as they were before. */
function tokensOf(key: string): string[] {
  return key.split('.').map((token) => (token === '=' ? '' : decodeURIComponent(token.replaceAll('=', '%'))));
}

describe('the key of an activity', () => {
  it('is legal, and tells the activity', () => {
    expect(tokensOf(keyOf({ entity: { kind: 'registry', registry: 'ma.in' }, name: '..' }))).toEqual([
      'registry',
      'ma.in',
      '..',
    ]);
    for (const name of names) {
      for (const entity of entities) {
        const key = keyOf({ entity, name });
        expect(key).toMatch(/^[A-Za-z0-9_=-]+(\.[A-Za-z0-9_=-]+)+$/);
        expect(tokensOf(key).at(-1)).toBe(name);
      }
    }
  });

  it('is another one for each activity', () => {
    const keys = entities.flatMap((entity) => names.map((name) => keyOf({ entity, name })));
    expect(new Set(keys).size).toBe(entities.length * names.length);
  });
});
