import { describe, expect, it } from 'vitest';
import { breaches, checkWith, messages } from '../fixture.ts';

const of = (text: string) => messages(`\n${text}`);
const rulesOf = (text: string) => checkWith(of(text)).map(({ line, rule }) => `${line} ${rule}`);

describe('message-name', () => {
  it.each([
    ['another domain', "export const BrewTeaCommand = command('pot.BrewTeaCommand', z.object({}));"],
    ['another const', "export const BrewCommand = command('tea.BrewTeaCommand', z.object({}));"],
    [
      'a command that is not imperative',
      "export const BrewedTeaCommand = command('tea.BrewedTeaCommand', z.object({}));",
    ],
    ['a command without its suffix', "export const BrewTea = command('tea.BrewTea', z.object({}));"],
    ['a query without its suffix', "export const CountCups = query('tea.CountCups', z.object({}), z.int());"],
    ['an event in the present tense', "export const BrewTea = event('tea.BrewTea', z.object({}));"],
    ['a computed name', "export const BrewTeaCommand = command('tea.' + 'BrewTeaCommand', z.object({}));"],
    ['a const that is not exported', "const BrewTeaCommand = command('tea.BrewTeaCommand', z.object({}));"],
  ])('catches %s', (_, text) => {
    expect(rulesOf(text)).toContain('3 message-name');
  });

  it.each([
    ['a command', "export const BrewTeaCommand = command('tea.BrewTeaCommand', z.object({}));"],
    ['a query', "export const CountCupsQuery = query('tea.CountCupsQuery', z.object({}), z.int());"],
    ['an event', "export const TeaBrewed = event('tea.TeaBrewed', z.object({}));"],
    ['what only looks like one', "const database = { query(a: string) {} }; database.query('select 1');"],
  ])('allows %s', (_, text) => {
    expect(rulesOf(text)).not.toContain('3 message-name');
  });

  it('knows a definer by another name, and leaves tests alone', () => {
    const text = "import { command as c } from '@samovar/message'; export const A = c('tea.A', z.object({}));";
    expect(breaches({ 'packages/tea/tea/src/a.ts': text })).toContain('packages/tea/tea/src/a.ts:1 message-name');
    expect(breaches({ 'packages/tea/tea/src/a.test.ts': text })).toEqual([]);
  });
});

describe('message-unique', () => {
  const brew = "export const BrewTeaCommand = command('tea.BrewTeaCommand', z.object({}));";

  it('catches a name given twice, at the second place', () => {
    const again = messages(brew)['packages/tea/tea/src/tea.ts'];
    const found = checkWith({ ...messages(brew), 'packages/tea/tea/src/twin.ts': again });
    expect(found.filter(({ rule }) => rule === 'message-unique')).toMatchObject([
      { path: 'packages/tea/tea/src/twin.ts', line: 2 },
    ]);
  });

  it('allows names that differ', () => {
    expect(
      rulesOf(`${brew} export const DrinkTeaCommand = command('tea.DrinkTeaCommand', z.object({}));`),
    ).not.toContain('3 message-unique');
  });
});

describe('query-result', () => {
  const result = '{ result: z.int() }';

  it.each([
    ['a struct', `z.object(${result})`],
    ['a struct that is extended', `z.object({}).extend(${result}).strict()`],
    ['a struct of its own const', 'Struct'],
    ['an extended const', 'Struct.extend({ a: z.int() })'],
  ])('catches it in %s', (_, struct) => {
    const text = `const Struct = z.object(${result}); export const CountCupsQuery = query('tea.CountCupsQuery', ${struct}, z.int());`;
    expect(rulesOf(text)).toContain('3 query-result');
  });

  it.each([
    ['a command', `export const BrewTeaCommand = command('tea.BrewTeaCommand', z.object(${result}));`],
    ['what is returned', `export const AQuery = query('tea.AQuery', z.object({}), z.object(${result}));`],
    ['a nested field', `export const AQuery = query('tea.AQuery', z.object({ a: z.object(${result}) }), z.int());`],
  ])('allows it in %s', (_, text) => {
    expect(rulesOf(text)).not.toContain('3 query-result');
  });
});
