import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Class, type ImportDeclaration, type Program, parseSync } from 'oxc-parser';
import { Refusal } from './refusal.ts';

/** A name to import. */
export interface ImportedName {
  readonly name: string;
  readonly typeOnly: boolean;
}

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** A TypeScript file, and what is to be changed in it: {@link edited} is the text with all changes. */
export class Source {
  /** Relative to the workspace. */
  readonly path: string;
  readonly text: string;
  readonly program: Program;
  readonly #edits: Edit[] = [];

  /** @throws {Refusal} if the text cannot be parsed. */
  constructor(path: string, text: string) {
    this.path = path;
    this.text = text;
    const { program, errors } = parseSync(path, text);
    const [error] = errors;
    if (error !== undefined) throw new Refusal(`${path} cannot be read: ${error.message}; mend it first`);
    this.program = program;
  }

  textOf({ start, end }: { readonly start: number; readonly end: number }): string {
    return this.text.slice(start, end);
  }

  insert(at: number, text: string): void {
    this.replace({ start: at, end: at }, text);
  }

  replace({ start, end }: { readonly start: number; readonly end: number }, text: string): void {
    this.#edits.push({ start, end, text });
  }

  /** Imports the names too, unless they are imported already. */
  addImport(specifier: string, names: readonly ImportedName[]): void {
    const declarations = this.program.body.filter(
      (node): node is ImportDeclaration => node.type === 'ImportDeclaration' && node.source.value === specifier,
    );
    const present = new Map(declarations.flatMap((node) => named(node).map((name) => [name.name, name] as const)));
    const missing = names.filter(
      ({ name, typeOnly }) => (present.get(name)?.typeOnly ?? true) && !(typeOnly && present.has(name)),
    );
    if (missing.length === 0) return;
    const home = declarations.find((node) => node.specifiers.every(({ type }) => type === 'ImportSpecifier'));
    if (home === undefined) {
      const first = this.program.body[0]?.start ?? 0;
      this.insert(first, `${importText(specifier, missing)}\n`);
      return;
    }
    const all = new Map([...named(home), ...missing].map((name) => [name.name, name]));
    this.replace(home, importText(specifier, [...all.values()]));
  }

  get isEdited(): boolean {
    return this.#edits.length > 0;
  }

  get edited(): string {
    // Of several insertions at one place, the first comes first.
    const edits = [...this.#edits].sort((a, b) => a.start - b.start);
    let text = '';
    let at = 0;
    for (const edit of edits) {
      text += this.text.slice(at, edit.start) + edit.text;
      at = edit.end;
    }
    return text + this.text.slice(at);
  }
}

function named(node: ImportDeclaration): ImportedName[] {
  return node.specifiers.flatMap((specifier) => {
    if (specifier.type !== 'ImportSpecifier' || specifier.imported.type !== 'Identifier') return [];
    const { imported, local } = specifier;
    const name = imported.name === local.name ? local.name : `${imported.name} as ${local.name}`;
    return [{ name, typeOnly: node.importKind === 'type' || specifier.importKind === 'type' }];
  });
}

/** On one line: it is formatted later. */
function importText(specifier: string, names: readonly ImportedName[]): string {
  if (names.every(({ typeOnly }) => typeOnly)) {
    return `import type { ${names.map(({ name }) => name).join(', ')} } from '${specifier}';`;
  }
  const list = names.map(({ name, typeOnly }) => (typeOnly ? `type ${name}` : name));
  return `import { ${list.join(', ')} } from '${specifier}';`;
}

/** The sources below a package's src, in the order of their paths; tests only, or all but tests. */
export function readSources(root: string, folder: string, which: 'tests' | 'code'): Source[] {
  return globSync(`${folder}/src/**/*.ts`, { cwd: root })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => path.endsWith('.test.ts') === (which === 'tests'))
    .sort()
    .map((path) => readSource(root, path));
}

/** @throws {Refusal} if there is no such file, or it cannot be parsed. */
export function readSource(root: string, path: string): Source {
  if (!existsSync(join(root, path))) throw new Refusal(`there is no ${path}: it is where this would be added`);
  return new Source(path, readFileSync(join(root, path), 'utf8'));
}

/** The classes that a file exports where it declares them. */
export function exportedClasses({ program }: Source): { readonly name: string; readonly node: Class }[] {
  return program.body.flatMap((node) => {
    if (node.type !== 'ExportNamedDeclaration' || node.declaration?.type !== 'ClassDeclaration') return [];
    const { declaration } = node;
    return declaration.id ? [{ name: declaration.id.name, node: declaration }] : [];
  });
}
