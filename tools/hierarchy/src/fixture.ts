import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type Breach, check } from './hierarchy.ts';
import { readWorkspace, type Workspace } from './workspace.ts';

/** Texts by their paths. A package.json and turbo.json that keep the layout need not be listed. */
export type Files = Readonly<Record<string, string>>;

/** A sound workspace: two domains with root, impl and test, a leaf, the server's packages and a tool. */
const sound: Files = {
  'packages/errors/errors/src/errors.ts': 'export const status = 1;',
  'packages/message/message/src/message.ts': 'export const command = 1;',
  'packages/tea/tea/src/tea.ts': "import { status } from '@samovar/errors'; export const tea = status;",
  'packages/tea/teaimpl/src/module.ts': "import { ContainerModule } from 'inversify';",
  'packages/tea/teatest/src/fake.ts': "import { tea } from '@samovar/tea'; export const fake = tea;",
  'packages/pot/pot/src/pot.ts': "import type { tea } from '@samovar/tea'; export type Pot = typeof tea;",
  'packages/pot/potimpl/src/service.ts': "import type { Pot } from '@samovar/pot'; export type P = Pot;",
  'packages/pot/potclay/src/clay.ts': "import '@samovar/potimpl';",
  'packages/server/server/src/server.ts': 'export const server = 1;',
  'packages/server/samovar/src/modules.ts': "import '@samovar/teaimpl'; import 'inversify';",
  'packages/server/servertest/src/servertest.ts': "import '@samovar/samovar'; import 'inversify';",
  'tools/kettle/src/kettle.ts': "import '@samovar/teaimpl'; import 'inversify';",
};

const tags: Readonly<Record<string, string>> = { errors: 'leaf', message: 'leaf', samovar: 'app', servertest: 'e2e' };

/** What is wrong with the sound workspace once `files` are put over it. */
export function checkWith(files: Files): Breach[] {
  return check(workspaceWith(files));
}

/** The sound workspace with `files` put over it. The folder is removed after the test. */
export function workspaceWith(files: Files): Workspace {
  const root = mkdtempSync(join(tmpdir(), 'hierarchy-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const all = { ...sound, ...files };
  for (const [path, text] of Object.entries({ ...manifests(all), ...all })) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return readWorkspace(root);
}

/** The same as `path:line rule`, as one looks for it. */
export function breaches(files: Files): string[] {
  return checkWith(files).map(({ path, line, rule }) => `${path}${line === undefined ? '' : `:${line}`} ${rule}`);
}

/** The root tea with `text` from its second line on, behind what definitions of messages need. */
export function messages(text: string): Readonly<Record<'packages/tea/tea/src/tea.ts', string>> {
  const imports = "import { command, event, query } from '@samovar/message'; import { z } from 'zod';";
  return { 'packages/tea/tea/src/tea.ts': `${imports}\n${text}` };
}

function manifests(files: Files): Files {
  const folders = new Set(
    Object.keys(files).flatMap((path) => /^(?:packages\/[^/]+|tools)\/[^/]+/.exec(path)?.[0] ?? []),
  );
  return Object.fromEntries(
    [...folders].flatMap((folder) => {
      const [top, domain] = folder.split('/');
      const name = folder.slice(folder.lastIndexOf('/') + 1);
      const bySuffix =
        name === domain ? 'root' : name === `${domain}core` ? 'core' : name.endsWith('test') ? 'test' : 'impl';
      const tag = top === 'tools' ? 'tool' : (tags[name] ?? bySuffix);
      return [
        [`${folder}/package.json`, manifest(name, folder, files)],
        [`${folder}/turbo.json`, JSON.stringify({ extends: ['//'], tags: [tag] })],
      ];
    }),
  );
}

/** Declares what the files of the folder import by name. */
function manifest(name: string, folder: string, files: Files): string {
  const imported = (forTests: boolean) =>
    Object.entries(files)
      .filter(
        ([path]) =>
          path.startsWith(`${folder}/`) && /(?<!\/src)\/testing\.ts$|\.(test|config)\.ts$/.test(path) === forTests,
      )
      .flatMap(([, text]) => [...text.matchAll(/(?:import|from|import\() ?'(@samovar\/[a-z]+)/g)])
      .map(([, target = '']): [string, string] => [target, 'workspace:^'])
      .filter(([target]) => target !== `@samovar/${name}`);
  return JSON.stringify({
    name: `@samovar/${name}`,
    private: folder.startsWith('tools/'),
    dependencies: Object.fromEntries(imported(false)),
    devDependencies: Object.fromEntries(imported(true)),
  });
}
