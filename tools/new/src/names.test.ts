import type { MessageKind } from '@samovar/message';
import { describe, expect, it } from 'vitest';
import { writeFiles } from './fixture.ts';
import { checkMessageName, checkServiceName, suggestion } from './names.ts';
import { Refusal } from './refusal.ts';

const pkg = (shortName: string) => ({
  name: `@samovar/${shortName}`,
  folder: `packages/x/${shortName}`,
  shortName,
  domain: 'x',
  tags: [],
  manifest: { name: `@samovar/${shortName}` },
});

describe('checkServiceName', () => {
  const check = (name: string, packages: readonly string[] = [], files = {}) =>
    checkServiceName(name, packages.map(pkg), writeFiles(files));

  it.each(['teapot', 'tea2', 'a', 'a'.repeat(30), 'testing', 'stickers'])('takes %s', (name) => {
    expect(() => check(name, ['coffee', 'teapots'])).not.toThrow();
  });

  it.each(['', 'Teapot', 'tea-pot', 'tea_pot', 'tea.pot', '2tea', 'é', 'a'.repeat(31), '../tea'])(
    "refuses '%s', which is badly formed",
    (name) => {
      expect(() => check(name)).toThrow(Refusal);
      expect(() => check(name)).toThrow('1 to 30 lower-case letters and digits, a letter first');
    },
  );

  it.each(['teaimpl', 'teatest', 'contest'])('refuses %s, which its own packages end like', (name) => {
    expect(() => check(name)).toThrow(/ends in '(?:impl|test)'/);
  });

  it.each([
    ['registry', 'for a domain of Samovar'],
    ['class', 'by the language'],
    ['await', 'by the language'],
    ['map', 'by the language, which has a Map'],
    ['record', 'by the language, which has a Record'],
    ['event', 'for what generated files call something else by'],
    ['migrations', 'for what generated files call something else by'],
    ['nul', 'by npm or a file system'],
  ])('refuses %s, reserved %s', (name, why) => {
    expect(() => check(name)).toThrow(`'${name}' is reserved ${why}`);
  });

  it('refuses what makes a reserved name of one of its things', () => {
    expect(() => check('promises')).toThrow("'promise' is reserved by the language");
  });

  it.each(['tea', 'teaimpl', 'teatest'])('refuses tea where there is a package %s', (taken) => {
    expect(() => check('tea', [taken])).toThrow(`'tea' is taken: there is a package ${taken}`);
  });

  it('refuses a name whose folder is in the way', () => {
    expect(() => check('tea', [], { 'packages/tea/notes.txt': '' })).toThrow('packages/tea is in the way');
  });
});

describe('checkMessageName', () => {
  it.each<[MessageKind, string]>([
    ['command', 'BrewTeaCommand'],
    ['query', 'CountCupsQuery'],
    ['event', 'TeaBrewed'],
  ])('takes the %s %s', (kind, name) => {
    expect(() => checkMessageName(kind, 'tea', name)).not.toThrow();
  });

  it.each<[MessageKind, string, string]>([
    ['command', 'BrewedTeaCommand', 'is not imperative'],
    ['query', 'CountCups', 'does not end in Query'],
    ['event', 'BrewTea', 'is not in the past tense'],
    ['event', 'teaBrewed', 'is not <domain>.<ExportedName>'],
  ])('refuses the %s %s', (kind, name, why) => {
    expect(() => checkMessageName(kind, 'tea', name)).toThrow(Refusal);
    expect(() => checkMessageName(kind, 'tea', name)).toThrow(why);
  });
});

it('suggests what is near, and lists the rest', () => {
  expect(suggestion('teapt', ['coffee', 'teapot'])).toBe('; did you mean teapot? There are: coffee, teapot');
  expect(suggestion('mongo', ['sql', 'none'])).toBe('; there are: none, sql');
  expect(suggestion('mongo', [])).toBe('');
});
