import { cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Breach, check, rules } from './hierarchy.ts';
import { readWorkspace } from './workspace.ts';

const workspace = join(import.meta.dirname, '../../..');
const read = ['README.md', '{packages/*,tools}/*/{package,turbo}.json', '{packages/*,tools}/*/{src,bin}/**/*.{ts,js}'];

const root = 'packages/numerical/numerical/src/numerical.ts';
const contract = 'export abstract class Numerical {';
const service = 'packages/numerical/numericalimpl/src/service.ts';
const module = 'packages/numerical/numericalimpl/src/module.ts';
const fake = 'packages/numerical/numericaltest/src/fake.ts';

/** A rule, and what breaks it: in the file, `text` in place of `before`, or behind everything. */
const plants: readonly [rule: string, file: string, text: string, before?: string][] = [
  ['syntax', root, 'export const = 1;'],
  ['layout', 'packages/numerical/numericalimpl/turbo.json', '"root"', '"impl"'],
  ['root-imports', root, "export type { numericalModule } from '@samovar/numericalimpl';"],
  [
    'root-runtime',
    'packages/alphabetical/alphabetical/src/alphabetical.ts',
    "export { Numerical } from '@samovar/numerical';",
  ],
  ['foreign-impl', service, "export { alphabeticalModule } from '@samovar/alphabeticalimpl';"],
  ['composition-root', service, "export { build } from '@samovar/samovar';"],
  ['inversify', service, "export { Container } from 'inversify';"],
  ['undeclared-dependency', service, "export type { Stickers } from '@samovar/stickers';"],
  [
    'unused-dependency',
    'packages/numerical/numericalimpl/package.json',
    '"@samovar/api": "workspace:^", "@samovar/bus"',
    '"@samovar/bus"',
  ],
  ['domain-cycle', service, "export type { Alphabetical } from '@samovar/alphabetical';"],
  ['message-name', root, "export const NumberGrows = event('numerical.NumberGrows', z.object({}));"],
  ['message-unique', root, "export const GetNumberQuery2 = query('numerical.GetNumberQuery', z.object({}), z.int());"],
  [
    'query-result',
    root,
    "export const AskQuery = query('numerical.AskQuery', z.object({ result: z.int() }), z.int());",
  ],
  ['unhandled-message', root, "export const AskQuery = query('numerical.AskQuery', z.object({}), z.int());"],
  ['unpublished-event', root, "export const NumberLost = event('numerical.NumberLost', z.object({}));"],
  ['contract-throws', root, `${contract}\n abstract ask(ctx: Context): Promise<void>;`, contract],
  ['contract-context', root, `${contract}\n /** Cannot fail. */ abstract ask(id: number): Promise<void>;`, contract],
  ['contract-fake', fake, 'export class FakeNumerical {', 'export class FakeNumerical implements Numerical {'],
  ['fake-contract', 'packages/numerical/numericaltest/package.json', '"./suite":', '"./contract":'],
  ['exported-store', module, "export { sqlNumberStore } from './store.ts';"],
  ['readme-domains', 'README.md', '| numerical | none |', '| numerical |'],
];

let copy: string;
let sound: readonly string[];

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'hierarchy-'));
  for (const file of globSync(read, { cwd: workspace, exclude: ['**/node_modules'] })) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    cpSync(join(workspace, file), join(copy, file));
  }
  sound = check(readWorkspace(copy)).map(key);
});
afterAll(() => rmSync(copy, { recursive: true }));

const key = ({ path, rule, message }: Breach) => `${path} ${rule}: ${message}`;

it.each(plants)('%s is found when it is broken in this workspace', (...[rule, file, text, before]) => {
  const path = join(copy, file);
  const whole = readFileSync(path, 'utf8');
  writeFileSync(path, before === undefined ? `${whole}\n${text}\n` : whole.replace(before, text));
  try {
    expect(readFileSync(path, 'utf8')).not.toBe(whole);
    const found = check(readWorkspace(copy)).filter((breach) => breach.rule === rule && !sound.includes(key(breach)));
    expect(found).toContainEqual(expect.objectContaining({ rule, mend: expect.stringMatching(/\w/) }));
  } finally {
    writeFileSync(path, whole);
  }
});

it('leaves no rule out', () => {
  expect(plants.map(([rule]) => rule)).toEqual(rules.map(({ name }) => name));
});
