import { describe, expect, it } from 'vitest';
import { breaches, workspaceWith } from '../fixture.ts';
import { domainTable, withDomainTable } from '../readme.ts';

const described = {
  'packages/tea/tea/package.json': JSON.stringify({
    name: '@samovar/tea',
    description: 'Tea | cups',
    dependencies: { '@samovar/errors': 'workspace:^' },
  }),
};
const marked = (table: string) => `# Tea\n\n<!-- domains -->\n${table}\n<!-- /domains -->\n\nMore.\n`;

it('has a row for each domain, below those it imports', () => {
  const rows = domainTable(workspaceWith(described)).split('\n');
  expect(rows).toContain('| tea | [tea](packages/tea/tea), teaimpl, teatest | Tea \\| cups |');
  expect(rows.slice(2).map((row) => row.split(' ')[1])).toEqual(['errors', 'message', 'tea', 'pot', 'server']);
});

describe('readme-domains', () => {
  const table = () => domainTable(workspaceWith(described));

  it('allows the table as it is written, and no README', () => {
    expect(breaches({ ...described, 'README.md': marked(table()) })).toEqual([]);
    expect(breaches(described)).toEqual([]);
  });

  it('catches a stale table, with its line', () => {
    const stale = table().replace('Tea \\| cups', 'Coffee');
    expect(breaches({ ...described, 'README.md': marked(stale) })).toEqual(['README.md:8 readme-domains']);
  });

  it.each([
    ['no markers', '# Tea'],
    ['markers the wrong way round', '<!-- /domains --> <!-- domains -->'],
  ])('catches %s', (_, text) => {
    expect(breaches({ 'README.md': text })).toEqual(['README.md readme-domains']);
  });

  it('rewrites the table alone', () => {
    const workspace = workspaceWith(described);
    expect(withDomainTable(marked('old'), workspace)).toBe(marked(table()));
    expect(withDomainTable(marked(table()), workspace)).toBe(marked(table()));
  });
});
