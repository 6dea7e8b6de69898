import { expect, it } from 'vitest';
import { breaches } from '../fixture.ts';

const module = 'packages/tea/teaimpl/src/module.ts';
const store = 'packages/tea/teaimpl/src/store.ts';
const entry = { '.': { '@samovar/source': './src/module.ts', default: './dist/module.js' } };
const manifest = {
  'packages/tea/teaimpl/package.json': JSON.stringify({ name: '@samovar/teaimpl', exports: entry }),
};

it.each([
  ['an interface', '\nexport interface TeaStore {}', module],
  ['a type', '\nexport type TeaStore = {};', module],
  ['a class', '\nexport class SqlTeaStore {}', module],
  ['a function that makes one', '\nexport function sqlTeaStore() {}', module],
  ['a const', '\nexport const memoryTeaStore = 1;', module],
  ['one of another file', "\nexport type { TeaStore } from './store.ts';", module],
  ['one under another name', "\nexport { type Tea as TeaStore } from './store.ts';", module],
  ['all of another file', "export * from './store.ts';", store],
])('catches %s', (_, text, path) => {
  expect(breaches({ ...manifest, [store]: '\nexport interface TeaStore {}', [module]: text })).toEqual([
    `${path}:2 exported-store`,
  ]);
});

it.each([
  ['one that the entry only uses', "import type { TeaStore } from './store.ts'; let a: TeaStore;"],
  ['what is no store', 'export const teaModule = 1; export interface TeaStores {}'],
])('allows %s', (_, text) => {
  expect(breaches({ ...manifest, [store]: 'export interface TeaStore {}', [module]: text })).toEqual([]);
});

it('leaves doubles and roots alone', () => {
  expect(breaches({ 'packages/tea/teatest/src/fake.ts': 'export class FakeStore {}' })).toEqual([]);
});
