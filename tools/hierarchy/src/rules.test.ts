import { describe, expect, it } from 'vitest';
import { breaches, checkWith, type Files } from './fixture.ts';
import { format } from './hierarchy.ts';

it('finds nothing wrong with a sound workspace', () => {
  expect(checkWith({})).toEqual([]);
});

it('shows file, line, rule and mend', () => {
  const [breach] = checkWith({ 'packages/pot/potimpl/src/service.ts': "\nimport '@samovar/teaimpl';" });
  expect(breach && format(breach)).toBe(
    `packages/pot/potimpl/src/service.ts:2  foreign-impl: @samovar/potimpl imports @samovar/teaimpl, which belongs to the domain tea
    mend: import the contract from @samovar/tea, and take the implementation by the constructor`,
  );
});

describe('root-imports', () => {
  it.each([
    ['an impl', 'packages/tea/tea/src/tea.ts', "import '@samovar/teaimpl';"],
    ["an impl's types", 'packages/tea/tea/src/tea.ts', "import type { A } from '@samovar/teaimpl';"],
    ["another domain's impl", 'packages/tea/tea/src/tea.ts', "import '@samovar/potimpl';"],
    ['an impl by a path', 'packages/tea/tea/src/tea.ts', "import '../../teaimpl/src/module.ts';"],
    ['an impl in a test', 'packages/tea/tea/src/tea.test.ts', "import '@samovar/teaimpl';"],
    ['an impl, loaded late', 'packages/tea/tea/src/tea.ts', "void import('@samovar/teaimpl');"],
    ['a test package', 'packages/tea/tea/src/tea.ts', "import '@samovar/teatest/contract';"],
    ['the composition root', 'packages/tea/tea/src/tea.ts', "import '@samovar/samovar';"],
    ['a tool', 'packages/tea/tea/src/tea.ts', "import '@samovar/kettle';"],
    ['a root from a leaf', 'packages/errors/errors/src/errors.ts', "import type { A } from '@samovar/tea';"],
  ])('catches a root that imports %s', (_, path, text) => {
    expect(breaches({ [path]: text })).toEqual([`${path}:1 root-imports`]);
  });

  it.each([
    [
      'roots, leaves and itself',
      'src/tea.ts',
      "import type { A } from '@samovar/server'; import '@samovar/errors'; import '@samovar/tea';",
    ],
    ['the shared vitest configuration', 'vitest.config.ts', "export { default } from '@samovar/kettle';"],
    ['what is no package of the workspace', 'src/tea.ts', "import type {} from '@samovar/gone'; import 'zod';"],
  ])('lets a root import %s', (_, path, text) => {
    expect(breaches({ [`packages/tea/tea/${path}`]: text })).toEqual([]);
  });
});

describe('foreign-impl', () => {
  it.each([
    ['an impl', 'packages/pot/potimpl/src/service.ts', "import '@samovar/teaimpl';"],
    ["an impl's types", 'packages/pot/potimpl/src/service.ts', "import type { A } from '@samovar/teaimpl/x';"],
    ['by a path', 'packages/pot/potimpl/src/service.ts', "export * from '../../../tea/teaimpl/src/module.ts';"],
    ['a module', 'packages/pot/potimpl/src/module.ts', "import '@samovar/teaimpl';"],
    ['a test package', 'packages/pot/pottest/src/fake.ts', "import '@samovar/teaimpl';"],
    ['what only looks shared by tests', 'packages/pot/potimpl/src/testing.ts', "import '@samovar/teaimpl';"],
    ['servertest', 'packages/server/servertest/src/servertest.ts', "import '@samovar/teaimpl';"],
  ])('catches it in %s', (_, path, text) => {
    expect(breaches({ [path]: text })).toEqual([`${path}:1 foreign-impl`]);
  });

  it.each([
    ['a test', 'packages/pot/potimpl/src/service.test.ts', "import '@samovar/teaimpl';"],
    ['what tests share', 'packages/pot/potimpl/testing.ts', "import '@samovar/teaimpl';"],
    ['a sibling', 'packages/tea/teatin/src/tin.ts', "import '@samovar/teaimpl';"],
    ['samovar', 'packages/server/samovar/src/modules.ts', "import '@samovar/potimpl';"],
    ['a tool', 'tools/kettle/src/kettle.ts', "import '@samovar/potimpl';"],
  ])('allows it in %s', (_, path, text) => {
    expect(breaches({ [path]: text })).toEqual([]);
  });
});

describe('composition-root', () => {
  it.each([
    ['an impl', 'packages/pot/potimpl/src/service.ts'],
    ["an impl's test", 'packages/pot/potimpl/src/service.test.ts'],
    ['a tool', 'tools/kettle/src/kettle.ts'],
  ])('catches samovar imported by %s', (_, path) => {
    expect(breaches({ [path]: "import '@samovar/samovar';" })).toEqual([`${path}:1 composition-root`]);
  });
});

describe('inversify', () => {
  it.each([
    ['a service', 'packages/tea/teaimpl/src/service.ts', "import 'inversify';"],
    ['its types', 'packages/tea/teaimpl/src/service.ts', "import type { Container } from 'inversify';"],
    ['a part of it', 'packages/tea/teaimpl/src/service.ts', "import '@inversifyjs/core';"],
    ['a module further down', 'packages/tea/teaimpl/src/a/module.ts', "import 'inversify';"],
    ['a root', 'packages/tea/tea/src/module.ts', "import 'inversify';"],
    ["a root's test", 'packages/tea/tea/src/tea.test.ts', "import 'inversify';"],
  ])('catches it in %s', (_, path, text) => {
    expect(breaches({ [path]: text })).toEqual([`${path}:1 inversify`]);
  });

  it("allows it in an impl's test", () => {
    const path = 'packages/tea/teaimpl/src/service.test.ts';
    expect(breaches({ [path]: "import { Container } from 'inversify';" })).toEqual([]);
  });
});

describe('layout', () => {
  const manifest = (name: string, rest = {}) => JSON.stringify({ name, ...rest });

  it.each<[string, Files, string]>([
    ['an npm name unlike its folder', { 'packages/tea/teatin/package.json': manifest('@samovar/tin') }, 'package.json'],
    ['another scope', { 'packages/tea/teatin/package.json': manifest('teatin') }, 'package.json'],
    ['a folder outside its domain', { 'packages/tea/saucer/src/saucer.ts': '' }, 'package.json'],
    ['a name of several words', { 'packages/tea/tea-tin/src/tin.ts': '' }, 'package.json'],
    ['no turbo.json', { 'packages/tea/teatin/turbo.json': '{}' }, 'turbo.json'],
    ['an impl tagged root', { 'packages/tea/teatin/turbo.json': '{"tags":["root"]}' }, 'turbo.json'],
    ['two tags', { 'packages/tea/teatin/turbo.json': '{"tags":["impl","test"]}' }, 'turbo.json'],
    ['a test package tagged impl', { 'packages/tea/teatest/turbo.json': '{"tags":["impl"]}' }, 'turbo.json'],
    ['a domain without a root', { 'packages/cup/cupimpl/src/cup.ts': '' }, 'package.json'],
    ['an impl beside a leaf', { 'packages/errors/errorsimpl/src/errors.ts': '' }, 'package.json'],
    ['a tool that is published', { 'tools/cosy/package.json': manifest('@samovar/cosy') }, 'package.json'],
    ['a name taken in another domain', { 'tools/teaimpl/src/a.ts': '' }, 'package.json'],
  ])('catches %s', (_, files, file) => {
    const [path = ''] = Object.keys(files);
    const folder = path.split('/').slice(0, path.startsWith('tools/') ? 2 : 3);
    expect(breaches(files)).toEqual([`${folder.join('/')}/${file} layout`]);
  });
});

it('reports a file that it cannot parse', () => {
  expect(breaches({ 'packages/tea/tea/src/tea.ts': 'export const = 1;' })).toEqual([
    'packages/tea/tea/src/tea.ts:1 syntax',
  ]);
});

it('names a package.json that is no JSON', () => {
  expect(() => checkWith({ 'packages/tea/tea/package.json': '{' })).toThrow(
    /tea\/tea\/package\.json is not valid JSON/,
  );
});
