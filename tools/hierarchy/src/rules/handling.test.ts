import { describe, expect, it } from 'vitest';
import { checkWith, type Files, messages } from '../fixture.ts';

const tea = messages(`export const BrewTeaCommand = command('tea.BrewTeaCommand', z.object({}));
export const TeaBrewed = event('tea.TeaBrewed', z.object({}));`);

/** The rules that are broken once a file of this text is put into the impl, or at `path`. */
function rulesWith(text: string, path = 'packages/tea/teaimpl/src/service.ts'): string[] {
  const files: Files = { ...tea, [path]: text };
  return checkWith(files)
    .filter((breach) => breach.path === 'packages/tea/tea/src/tea.ts')
    .map(({ line, rule }) => `${line} ${rule}`);
}

const imports = "import { BrewTeaCommand, TeaBrewed } from '@samovar/tea';";

describe('unhandled-message', () => {
  it.each([
    ['is handled nowhere', imports, undefined],
    ['is only dispatched', `${imports} bus.dispatch(ctx, BrewTeaCommand, {});`, undefined],
    [
      'is handled in a test only',
      `${imports} bus.addHandler(BrewTeaCommand, f);`,
      'packages/tea/teaimpl/src/a.test.ts',
    ],
    [
      'is handled by the double only',
      `${imports} bus.addHandler(BrewTeaCommand, f);`,
      'packages/tea/teatest/src/fake.ts',
    ],
    ['has a namesake', "import { BrewTeaCommand } from './a.ts'; bus.addHandler(BrewTeaCommand, f);", undefined],
  ])('catches a command that %s', (_, text, path) => {
    expect(rulesWith(text, path)).toContain('2 unhandled-message');
  });

  it.each([
    ['in an impl', `${imports} this.#bus.addHandler(BrewTeaCommand, f);`],
    ['under another name', "import { BrewTeaCommand as B } from '@samovar/tea'; bus?.addHandler(B, f);"],
  ])('allows one that is handled %s', (_, text) => {
    expect(rulesWith(text)).not.toContain('2 unhandled-message');
  });
});

describe('unpublished-event', () => {
  it.each([
    ['is only imported', imports, undefined],
    ['is only a type', "import type { TeaBrewed } from '@samovar/tea'; const a: TeaBrewed = b;", undefined],
    ['is only listened to', `${imports} bus.addEventListener(TeaBrewed, f); let a: TeaBrewed;`, undefined],
    ['has a namesake in an object', `${imports} const a = { TeaBrewed: 1 }; a.TeaBrewed;`, undefined],
    ['another domain uses', `${imports} bus.publish(ctx, TeaBrewed, {});`, 'packages/pot/potimpl/src/service.ts'],
    ['a test publishes', `${imports} bus.publish(ctx, TeaBrewed, {});`, 'packages/tea/teaimpl/src/a.test.ts'],
  ])('catches an event that %s', (_, text, path) => {
    expect(rulesWith(text, path)).toContain('3 unpublished-event');
  });

  it.each([
    ['published', `${imports} bus.publish(ctx, TeaBrewed, {});`],
    ['passed on', `${imports} publish({ TeaBrewed });`],
    ['appended by its definition', `${imports} const definitions = { brewed: TeaBrewed } as const;`],
  ])('allows one that is %s', (_, text) => {
    expect(rulesWith(text)).not.toContain('3 unpublished-event');
  });
});
