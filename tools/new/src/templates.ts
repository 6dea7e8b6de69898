import { globSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import nodePlop from 'node-plop';

const templates = resolve(import.meta.dirname, '../templates');

/**
 * What the templates in these folders give, by paths in which `{{name}}` and the like are filled in too.
 *
 * @throws {Error} if a template fails: that is a mistake in it.
 */
export async function render(folders: readonly string[], data: object): Promise<ReadonlyMap<string, string>> {
  const staging = mkdtempSync(join(tmpdir(), 'samovar-new-'));
  try {
    const plop = await nodePlop('', { destBasePath: staging, force: false });
    plop.setHelper('json', (value: unknown) => JSON.stringify(value, null, 2));
    for (const file of globSync('partials/*.hbs', { cwd: templates })) {
      plop.setPartial(basename(file, '.hbs'), readFileSync(join(templates, file), 'utf8'));
    }
    const generator = plop.setGenerator('files', {
      prompts: [],
      actions: folders.map((folder) => ({
        type: 'addMany',
        base: join(templates, folder),
        templateFiles: join(templates, folder, '**/*.hbs'),
        destination: '.',
        abortOnFail: true,
      })),
    });
    const { failures } = await generator.runActions(data);
    if (failures.length > 0) throw new Error(failures.map(({ error }) => error).join('\n'));
    return readAll(staging);
  } finally {
    rmSync(staging, { recursive: true });
  }
}

function readAll(folder: string): ReadonlyMap<string, string> {
  const paths = globSync('**/*', { cwd: folder }).filter((path) => statSync(join(folder, path)).isFile());
  const files = paths.map((path) => [path.replaceAll('\\', '/'), readFileSync(join(folder, path), 'utf8')] as const);
  return new Map(files.sort(([a], [b]) => (a < b ? -1 : 1)));
}
