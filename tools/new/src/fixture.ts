import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';

/** Texts by their paths. */
export type Files = Readonly<Record<string, string>>;

/** Writes the files into a temporary folder, which is gone after the test. */
export function writeFiles(files: Files): string {
  const root = mkdtempSync(join(tmpdir(), 'samovar-new-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

/** All files of a folder, as {@link writeFiles} takes them. */
export function readFiles(root: string): Files {
  const paths = globSync('**/*', { cwd: root }).filter((path) => statSync(join(root, path)).isFile());
  return Object.fromEntries(paths.sort().map((path) => [path, readFileSync(join(root, path), 'utf8')]));
}

const manifest = (name: string) =>
  JSON.stringify({ name: `@samovar/${name}`, dependencies: { '@samovar/context': 'workspace:^' } });

/** A workspace with the domain tea, its module loaded, and one message. */
export const tea: Files = {
  'packages/tea/tea/package.json': manifest('tea'),
  'packages/tea/tea/turbo.json': '{ "tags": ["root"] }',
  'packages/tea/tea/src/tea.ts': `import type { Context } from '@samovar/context';
import { type ArgsOf, command } from '@samovar/message';
import { z } from 'zod';

export const BrewTeaCommand = command('tea.BrewTeaCommand', z.object({}));
export type BrewTeaCommand = ArgsOf<typeof BrewTeaCommand>;

/** Tea. */
export abstract class Tea {
  /** @throws {InvalidMessageError} */
  abstract brewTea(ctx: Context, command: BrewTeaCommand): Promise<void>;
}
`,
  'packages/tea/teaimpl/package.json': manifest('teaimpl'),
  'packages/tea/teaimpl/turbo.json': '{ "tags": ["impl"] }',
  'packages/tea/teaimpl/src/service.ts': `import type { Bus } from '@samovar/bus';
import type { Context } from '@samovar/context';
import { BrewTeaCommand, type Tea } from '@samovar/tea';

export class TeaService implements Tea {
  readonly #bus: Bus;

  constructor(bus: Bus) {
    this.#bus = bus;
  }

  init(): void {
    this.#bus.addHandler(BrewTeaCommand, (ctx, command) => this.brewTea(ctx, command));
  }

  async brewTea(_ctx: Context, command: BrewTeaCommand): Promise<void> {
    this.#check(command);
  }

  #check(command: BrewTeaCommand): void {
    BrewTeaCommand.parse(command);
  }
}
`,
  'packages/tea/teaimpl/src/module.test.ts': `expect(handled).toEqual(['tea.BrewTeaCommand']);\n`,
  'packages/tea/teatest/package.json': manifest('teatest'),
  'packages/tea/teatest/turbo.json': '{ "tags": ["test"] }',
  'packages/tea/teatest/src/fake.ts': `import type { Bus } from '@samovar/bus';
import type { Context } from '@samovar/context';
import { BrewTeaCommand, type Tea } from '@samovar/tea';

export class FakeTea implements Tea {
  constructor(bus?: Bus) {
    bus?.addHandler(BrewTeaCommand, (ctx, command) => this.brewTea(ctx, command));
  }

  async brewTea(_ctx: Context, command: BrewTeaCommand): Promise<void> {
    BrewTeaCommand.parse(command);
  }
}
`,
  'packages/tea/teatest/src/contract.ts': `import { describe } from 'vitest';

export function teaContract(name: string): void {
  describe(name, () => {
    brews();
  });
}
`,
  'packages/server/samovar/package.json': manifest('samovar'),
  'packages/server/samovar/src/modules.ts': `import { apiModule } from '@samovar/apiimpl';
import { teaModule } from '@samovar/teaimpl';

export function modules(): ContainerModule[] {
  return [teaModule, apiModule({ port: 1 })];
}
`,
};
