import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type Breach, check } from './hierarchy.ts';
import { readWorkspace } from './workspace.ts';

/** Texts by their paths. A package.json and turbo.json that keep the layout need not be listed. */
export type Files = Readonly<Record<string, string>>;

/** A sound workspace: two domains with root, impl and test, a leaf, the server's packages and a tool. */
const sound: Files = {
  'packages/errors/errors/src/errors.ts': 'export const status = 1;',
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

const tags: Readonly<Record<string, string>> = { errors: 'leaf', samovar: 'app', servertest: 'e2e' };

/** What is wrong with the sound workspace once `files` are put over it. The folder is removed after the test. */
export function checkWith(files: Files): Breach[] {
  const root = mkdtempSync(join(tmpdir(), 'hierarchy-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const all = { ...sound, ...files };
  for (const [path, text] of Object.entries({ ...manifests(Object.keys(all)), ...all })) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return check(readWorkspace(root));
}

function manifests(paths: readonly string[]): Files {
  const folders = new Set(paths.map((path) => /^(?:packages\/[^/]+|tools)\/[^/]+/.exec(path)?.[0] ?? ''));
  return Object.fromEntries(
    [...folders].flatMap((folder) => {
      const [top, domain] = folder.split('/');
      const name = folder.slice(folder.lastIndexOf('/') + 1);
      const bySuffix = name === domain ? 'root' : name.endsWith('test') ? 'test' : 'impl';
      const tag = top === 'tools' ? 'tool' : (tags[name] ?? bySuffix);
      return [
        [`${folder}/package.json`, JSON.stringify({ name: `@samovar/${name}`, private: top === 'tools' })],
        [`${folder}/turbo.json`, JSON.stringify({ extends: ['//'], tags: [tag] })],
      ];
    }),
  );
}
