import { describe, expect, it } from 'vitest';
import { type Files, tea, writeFiles } from './fixture.ts';
import { planMessage } from './message.ts';
import { Refusal } from './refusal.ts';

const plan = (kind: string, name: string, files: Files = {}) =>
  planMessage(writeFiles({ ...tea, ...files }), { service: 'tea', kind, name });

const root = 'packages/tea/tea/src/tea.ts';
const service = 'packages/tea/teaimpl/src/service.ts';
const fake = 'packages/tea/teatest/src/fake.ts';
const suite = 'packages/tea/teatest/src/contract.ts';

describe('planMessage', () => {
  it('adds a query to root, service, double, suite and the list of what is handled', () => {
    const { created, edited } = plan('query', 'CountCups');
    expect(created.size).toBe(0);
    expect([...edited.keys()].toSorted()).toEqual([
      'packages/tea/tea/package.json',
      root,
      'packages/tea/teaimpl/src/module.test.ts',
      service,
      suite,
      fake,
    ]);
    expect(edited.get(root)).toMatchInlineSnapshot(`
      "import { DomainError } from '@samovar/errors';
      import type { Context } from '@samovar/context';
      import { type ArgsOf, command, query, type ResultOf } from '@samovar/message';
      import { z } from 'zod';

      export const BrewTeaCommand = command('tea.BrewTeaCommand', z.object({}));
      export type BrewTeaCommand = ArgsOf<typeof BrewTeaCommand>;

      export const CountCupsQuery = query('tea.CountCupsQuery', z.object({}), z.unknown());
      export type CountCupsQuery = ArgsOf<typeof CountCupsQuery>;
      export type CountCupsResult = ResultOf<typeof CountCupsQuery>;

      /** What was asked for is promised, and not written yet (tea.notImplemented). */
      export class TeaNotImplementedError extends DomainError {
        constructor(message: string) {
          super('unimplemented', 'tea.notImplemented', {
            publicMessage: \`\${message} is not implemented yet\`,
            details: { message },
          });
        }
      }

      /** Tea. */
      export abstract class Tea {
        /** @throws {InvalidMessageError} */
        abstract brewTea(ctx: Context, command: BrewTeaCommand): Promise<void>;

        /** @throws {InvalidMessageError} @throws {TeaNotImplementedError} until it is written. */
        abstract countCups(ctx: Context, query: CountCupsQuery): Promise<CountCupsResult>;
      }
      "
    `);
    expect(edited.get(service)).toMatchInlineSnapshot(`
      "import type { Bus } from '@samovar/bus';
      import type { Context } from '@samovar/context';
      import { BrewTeaCommand, type Tea, CountCupsQuery, TeaNotImplementedError, type CountCupsResult } from '@samovar/tea';

      export class TeaService implements Tea {
        readonly #bus: Bus;

        constructor(bus: Bus) {
          this.#bus = bus;
        }

        init(): void {
          this.#bus.addHandler(BrewTeaCommand, (ctx, command) => this.brewTea(ctx, command));
      this.#bus.addHandler(CountCupsQuery, (ctx, query) => this.countCups(ctx, query));
        }

        async brewTea(_ctx: Context, command: BrewTeaCommand): Promise<void> {
          this.#check(command);
        }

        async countCups(_ctx: Context, query: CountCupsQuery): Promise<CountCupsResult> {
          CountCupsQuery.parse(query);
          throw new TeaNotImplementedError(CountCupsQuery.name);
        }

        #check(command: BrewTeaCommand): void {
          BrewTeaCommand.parse(command);
        }
      }
      "
    `);
    expect(edited.get(fake)).toContain('bus?.addHandler(CountCupsQuery, (ctx, query) => this.countCups(ctx, query));');
    expect(edited.get(suite)).toContain("import { describe, it } from 'vitest';");
    expect(edited.get(suite)).toContain("    brews();\n  \n    it.todo('answers tea.CountCupsQuery');\n});");
    expect(edited.get('packages/tea/teaimpl/src/module.test.ts')).toContain(
      "['tea.BrewTeaCommand', 'tea.CountCupsQuery']",
    );
    expect(edited.get('packages/tea/tea/package.json')).toContain('"@samovar/errors": "workspace:^"');
  });

  it.each([
    ['Command', 'PourTea'],
    ['COMMAND', 'PourTeaCommand'],
  ])('takes the kind in any case, and the name with and without its suffix: %s %s', (kind, name) => {
    const { edited, message } = plan(kind, name);
    expect(message.constant).toBe('PourTeaCommand');
    expect(edited.get(root)).toContain("command('tea.PourTeaCommand', z.object({}))");
    expect(edited.get(root)).toContain('abstract pourTea(ctx: Context, command: PourTeaCommand): Promise<void>;');
  });

  it('adds an event to the root alone', () => {
    const { edited } = plan('event', 'TeaBrewed');
    expect([...edited.keys()]).toEqual([root]);
    expect(edited.get(root)).toContain("export const TeaBrewed = event('tea.TeaBrewed', z.object({}));");
    expect(edited.get(root)).not.toContain('NotImplemented');
  });

  it('has one error for all that is not written yet', () => {
    const first = plan('command', 'PourTea');
    const second = plan('command', 'DrinkTea', Object.fromEntries(first.edited));
    expect(second.edited.get(root)?.match(/class TeaNotImplementedError/g)).toHaveLength(1);
    expect([...second.edited.keys()]).not.toContain('packages/tea/tea/package.json');
  });

  it('finds the handlers in another file of the package', () => {
    const handlers = 'packages/tea/teaimpl/src/handlers.ts';
    const call = '    this.#bus.addHandler(BrewTeaCommand, (ctx, command) => this.brewTea(ctx, command));\n';
    const { edited } = plan('query', 'CountCups', {
      [service]: tea[service]?.replace(call, '') ?? '',
      [handlers]: `import { BrewTeaCommand } from '@samovar/tea';
bus.addHandler(BrewTeaCommand, (ctx, command) => tea.brewTea(ctx, command));`,
    });
    expect(edited.get(handlers)).toBe(`import { BrewTeaCommand, CountCupsQuery } from '@samovar/tea';
bus.addHandler(BrewTeaCommand, (ctx, command) => tea.brewTea(ctx, command));
bus.addHandler(CountCupsQuery, (ctx, query) => tea.countCups(ctx, query));`);
  });

  it.each([
    ['an unknown service', { service: 'tee' }, "there is no service 'tee'; did you mean tea?"],
    ['an unknown kind', { kind: 'querry' }, "there is no kind 'querry'; did you mean query?"],
    ['a name in lower case', { name: 'pourTea' }, "'pourTea' is no name for a message"],
    ['nothing but the suffix', { name: 'Command' }, "'Command' is no name for a message"],
    ['a message that is there', { name: 'BrewTea' }, 'has BrewTeaCommand already'],
    [
      'a method that is there',
      { kind: 'query', name: 'BrewTea' },
      'Tea in packages/tea/tea/src/tea.ts has brewTea already',
    ],
    [
      'a method that only the service has',
      { name: 'Init' },
      'TeaService in packages/tea/teaimpl/src/service.ts has init already',
    ],
    ['an event in the present', { kind: 'event', name: 'BrewTea' }, 'is not in the past tense'],
  ])('refuses %s', (_, request, why) => {
    const asked = { service: 'tea', kind: 'command', name: 'PourTea', ...request };
    const attempt = () => planMessage(writeFiles(tea), asked);
    expect(attempt).toThrow(Refusal);
    expect(attempt).toThrow(why);
  });

  it.each([
    ['a contract', { [root]: 'export {};' }, 'packages/tea/tea exports no abstract class tea'],
    ['messages in its file', { [root]: 'export abstract class Tea {}' }, `${root} defines no message`],
    ['a service', { [service]: 'export {};' }, 'no impl of tea has a class that implements Tea'],
    [
      'a handler',
      { [service]: 'export class A implements Tea { init() {} }' },
      `${service} and its package call no addHandler`,
    ],
    ['a double', { [fake]: 'export {};' }, 'packages/tea/teatest has no class that implements Tea'],
    ['a suite', { [suite]: 'export {};' }, `${suite} has no describe`],
  ])('says where %s is missing', (_, files, why) => {
    expect(() => plan('command', 'PourTea', files)).toThrow(Refusal);
    expect(() => plan('command', 'PourTea', files)).toThrow(why);
  });
});
