import { describe, expect, it } from 'vitest';
import { breaches } from '../fixture.ts';

const manifest = (name: string, groups = {}) => JSON.stringify({ name, ...groups }, null, 1);
const tea = { '@samovar/tea': 'workspace:^' };

describe('undeclared-dependency', () => {
  const potimpl = (text: string, groups = {}, file = 'service.ts') => ({
    'packages/pot/potimpl/src/service.ts': '',
    [`packages/pot/potimpl/src/${file}`]: text,
    'packages/pot/potimpl/package.json': manifest('@samovar/potimpl', groups),
  });

  it.each([
    ['what is imported', "\nimport '@samovar/tea';", {}],
    ['its types', "\nimport type { A } from '@samovar/tea';", {}],
    ['a part of it', "\nimport '@samovar/tea/x';", {}],
    ['what is declared for tests only', "\nimport '@samovar/tea';", { devDependencies: tea }],
  ])('catches %s', (_, text, groups) => {
    expect(breaches(potimpl(text, groups))).toContain('packages/pot/potimpl/src/service.ts:2 undeclared-dependency');
  });

  it('catches what tests import', () => {
    const files = potimpl("import '@samovar/tea';", {}, 'service.test.ts');
    expect(breaches(files)).toEqual(['packages/pot/potimpl/src/service.test.ts:1 undeclared-dependency']);
  });

  it.each([
    ['dependencies', { dependencies: tea }, 'service.ts'],
    ['peerDependencies', { peerDependencies: tea, devDependencies: tea }, 'service.ts'],
    ['devDependencies in a test', { devDependencies: tea }, 'service.test.ts'],
  ])('allows %s', (_, groups, file) => {
    expect(breaches(potimpl("import '@samovar/tea';", groups, file))).toEqual([]);
  });

  it('leaves other packages to the linter', () => {
    expect(breaches(potimpl("import 'inversify-binding-decorators'; import '@samovar/gone';"))).toEqual([]);
  });
});

describe('unused-dependency', () => {
  const teatest = (groups: object, test = '') => ({
    'packages/tea/teatest/src/fake.ts': '',
    'packages/tea/teatest/src/fake.test.ts': test,
    'packages/tea/teatest/package.json': manifest('@samovar/teatest', groups),
  });

  it.each([
    ['in dependencies', { dependencies: tea }, '', 4],
    ['in peerDependencies', { peerDependencies: tea }, '', 4],
    ['in devDependencies', { devDependencies: tea }, '', 4],
    ['in dependencies for tests only', { dependencies: tea }, "import '@samovar/tea';", 4],
  ])('catches it %s', (_, groups, test, line) => {
    expect(breaches(teatest(groups, test))).toEqual([`packages/tea/teatest/package.json:${line} unused-dependency`]);
  });

  it('allows the peers of what is depended on', () => {
    const dependencies = { '@samovar/potimpl': 'workspace:^', ...tea };
    const files = {
      'packages/pot/potclay/package.json': manifest('@samovar/potclay', { dependencies }),
      'packages/pot/potimpl/package.json': manifest('@samovar/potimpl', { peerDependencies: tea }),
      'packages/pot/potimpl/src/service.ts': "import '@samovar/tea';",
    };
    expect(breaches(files)).toEqual([]);
    expect(breaches({ ...files, 'packages/pot/potimpl/package.json': manifest('@samovar/potimpl') })).toContain(
      'packages/pot/potclay/package.json:5 unused-dependency',
    );
  });

  it('does not mind where the end-to-end tests import it', () => {
    const dependencies = { '@samovar/samovar': 'workspace:^', ...tea };
    const files = {
      'packages/server/servertest/package.json': manifest('@samovar/servertest', { dependencies }),
      'packages/server/servertest/src/a.int.test.ts': "import '@samovar/tea';",
    };
    expect(breaches(files)).toEqual([]);
  });

  it.each([
    ['used in tests', { devDependencies: tea }, "import '@samovar/tea';"],
    ['a tool', { devDependencies: { '@samovar/kettle': 'workspace:*' } }, ''],
    ['of elsewhere', { dependencies: { zod: '4' } }, ''],
  ])('allows what is %s', (_, groups, test) => {
    expect(breaches(teatest(groups, test))).toEqual([]);
  });
});
