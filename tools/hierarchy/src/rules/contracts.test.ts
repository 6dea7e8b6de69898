import { describe, expect, it } from 'vitest';
import { checkWith, type Files, messages } from '../fixture.ts';

const tea = 'packages/tea/tea/src/tea.ts';
const fake = 'packages/tea/teatest/src/fake.ts';
const rulesOf = (files: Files) => checkWith(files).map(({ path, line, rule }) => `${path}:${line} ${rule}`);
const contract = (members: string, doc = '') => `\n${doc}\nexport abstract class Tea {\n${members}\n}`;
const failing = '/** @throws {ColdError} */';

describe('contract-throws', () => {
  it.each([
    ['no comment', 'abstract brew(ctx: Context): Promise<void>;'],
    ['a comment of something else', '/** Brews. */ abstract brew(ctx: Context): Promise<void>;'],
    ['no doc comment', '// @throws\n abstract brew(ctx: Context): Promise<void>;'],
    ["its neighbour's comment", `${failing} abstract a: string; abstract brew(ctx: Context): Promise<void>;`],
  ])('catches a method with %s', (_, members) => {
    expect(rulesOf({ [tea]: contract(members) }).join()).toMatch(/tea\.ts:[45] contract-throws/);
  });

  it.each([
    ['says what it throws', contract(`${failing} abstract brew(ctx: Context): Promise<void>;`)],
    ['cannot fail', contract('/**\n * Brews. It cannot\n * fail.\n */\nabstract brew(ctx: Context): Promise<void>;')],
    ['belongs to a contract that says so', contract('abstract brew(ctx: Context): void;', '/** Cannot fail. */')],
    ['is not abstract', contract('brew(ctx: Context): void {}')],
    ['is named by a symbol', contract('abstract [Symbol.dispose](): void;')],
    ['is not exported', 'abstract class Tea { abstract brew(ctx: Context): void; }'],
  ])('allows one that %s', (_, text) => {
    expect(rulesOf({ [tea]: text }).join()).not.toContain('contract-throws');
  });
});

describe('contract-context', () => {
  const withMessages = (members: string) =>
    messages(
      `export const BrewTeaCommand = command('tea.BrewTeaCommand', z.object({})); export abstract class Tea {\n${members} }`,
    );

  it.each([
    ['promises something it is asked for', { [tea]: `\n${contract('abstract brew(a: A): Promise<void>;')}` }, 5],
    ['takes ctx later', { [tea]: `\n${contract('abstract brew(a: A, ctx: Context): Promise<void>;')}` }, 5],
    ['takes ctx of another type', { [tea]: `\n${contract('abstract brew(ctx: A): Promise<void>;')}` }, 5],
    ['answers at once, of a domain with messages', withMessages('abstract list(query: A): B;'), 3],
  ])('catches a method that %s', (_, files, line) => {
    expect(rulesOf(files)).toContain(`${tea}:${line} contract-context`);
  });

  it.each([
    ['takes it', withMessages('abstract brew(ctx: Context, a: A): Promise<void>;')],
    ['answers at once', { [tea]: contract('abstract warn(message: string): void;') }],
    ['is asked nothing', { [tea]: contract('abstract close(): Promise<void>;') }],
  ])('allows one that %s', (_, files) => {
    expect(rulesOf(files).join()).not.toContain('contract-context');
  });
});

describe('contract-fake', () => {
  const sound = { [tea]: contract(`${failing} abstract brew(ctx: Context): Promise<void>;`) };

  it.each([
    ['without a double', {}],
    ['whose double is another', { [fake]: 'export class FakeTea implements Coffee {}' }],
    ['whose double is in a test', { 'packages/tea/teatest/src/a.test.ts': 'export class FakeTea implements Tea {}' }],
  ])('catches a contract %s', (_, files) => {
    expect(rulesOf({ ...sound, ...files })).toEqual([`${tea}:3 contract-fake`]);
  });

  it('catches a contract whose domain has no test package', () => {
    const pot = 'packages/pot/pot/src/pot.ts';
    expect(rulesOf({ [pot]: sound[tea] ?? '' })).toEqual([`${pot}:3 contract-fake`]);
  });

  it.each([
    ['a class that implements it', { [fake]: 'export class FakeTea implements Tea {}' }],
    ['a class that extends it', { [fake]: 'export class FakeTea extends Tea {}' }],
    ['a function that makes one', { [fake]: 'export async function freshTea(): Promise<Tea> {}' }],
    ['a suite for real ones', { 'packages/tea/teatest/package.json': testManifest('./conformance') }],
  ])('allows one with %s', (_, files) => {
    expect(rulesOf({ ...sound, ...files }).join()).not.toContain('contract-fake');
  });

  it('allows one that services implement', () => {
    const doc = '/**\n * Steeps. Bound in\n * module.ts, any number of them.\n */';
    const files = { [tea]: contract(`${failing} abstract brew(ctx: Context): Promise<void>;`, doc) };
    expect(rulesOf(files)).toEqual([]);
  });

  it('minds only what is called with a context', () => {
    expect(rulesOf({ [tea]: contract(`${failing} abstract warn(message: string): void;`) })).toEqual([]);
  });
});

describe('fake-contract', () => {
  const files = {
    [tea]: contract(`${failing} abstract brew(ctx: Context): Promise<void>;`),
    [fake]: 'export class FakeTea implements Tea {}',
  };

  it('catches a double without a suite', () => {
    expect(rulesOf(files)).toEqual(['packages/tea/teatest/package.json:undefined fake-contract']);
  });

  it.each(['./contract', './conformance'])('allows one with %s', (suite) => {
    expect(rulesOf({ ...files, 'packages/tea/teatest/package.json': testManifest(suite) })).toEqual([]);
  });
});

function testManifest(suite: string): string {
  return JSON.stringify({
    name: '@samovar/teatest',
    exports: { [suite]: './a.ts' },
  });
}
