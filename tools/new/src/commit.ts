import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Plan } from './plan.ts';
import { Refusal } from './refusal.ts';

/**
 * Writes a plan and does what is to be done afterwards. If either fails, all is as it was: what was made is removed with
 * whatever is in its folders, and edited files, and those named in `touched`, have their old content.
 *
 * @throws {Refusal} if a file it would make is there. @throws what `afterwards` throws.
 */
export async function commit(
  root: string,
  { created, edited }: Plan,
  touched: readonly string[],
  afterwards: () => Promise<void>,
): Promise<void> {
  const existing = [...created.keys()].find((path) => existsSync(join(root, path)));
  if (existing !== undefined) throw new Refusal(`${existing} is there already: move it away first`);
  const made = new Set([...created.keys()].map((path) => firstMissing(root, path)));
  const before = new Map([...edited.keys(), ...touched].map((path) => [path, contentOf(join(root, path))]));
  try {
    for (const [path, text] of [...created, ...edited]) {
      const file = join(root, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
    await afterwards();
  } catch (error) {
    for (const path of made) rmSync(join(root, path), { recursive: true, force: true });
    for (const [path, content] of before) restore(join(root, path), content);
    throw error;
  }
}

/** `path` itself, or the topmost folder above it that is not there yet. */
function firstMissing(root: string, path: string): string {
  const parent = dirname(path);
  return existsSync(join(root, parent)) ? path : firstMissing(root, parent);
}

function contentOf(file: string): Buffer | undefined {
  return existsSync(file) ? readFileSync(file) : undefined;
}

function restore(file: string, content: Buffer | undefined): void {
  if (content === undefined) rmSync(file, { force: true });
  else if (!existsSync(file) || !readFileSync(file).equals(content)) writeFileSync(file, content);
}
