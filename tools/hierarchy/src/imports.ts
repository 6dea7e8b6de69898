import { type ImportDeclaration, Visitor } from 'oxc-parser';
import type { Tree } from './tree.ts';

/** A module that a file names: by import, export from, import(), or a type `import('…')`. */
export interface Import {
  readonly specifier: string;
  /** From 1 up. */
  readonly line: number;
  /** Gone when the types are stripped. */
  readonly typeOnly: boolean;
  /** What it takes by name and needs at run time; undefined where that is the whole module. */
  readonly names: readonly ImportedName[] | undefined;
}

export interface ImportedName {
  /** As the module exports it. */
  readonly imported: string;
  /** As the file calls it. */
  readonly local: string;
}

interface Literal {
  readonly type: string;
  readonly value?: unknown;
  readonly start: number;
}

/** What a file imports, in the order of lines. An import() whose argument is computed is none. */
export function parseImports(tree: Tree): Import[] {
  const imports: Import[] = [];
  const add = (literal: Literal | null, typeOnly: boolean, names?: readonly ImportedName[]) => {
    if (typeof literal?.value !== 'string') return;
    imports.push({ specifier: literal.value, line: tree.lineOf(literal), typeOnly, names });
  };
  new Visitor({
    // A declaration of which only the names are types stays behind as `import {} from`, and runs.
    ImportDeclaration: (node) => add(node.source, node.importKind === 'type', namesOf(node)),
    ExportNamedDeclaration: (node) => {
      const values = node.specifiers.filter(({ exportKind }) => exportKind !== 'type');
      const names = values.map(({ local, exported }) => ({ imported: nameOf(local), local: nameOf(exported) }));
      add(node.source, node.exportKind === 'type', names);
    },
    ExportAllDeclaration: (node) => add(node.source, node.exportKind === 'type'),
    ImportExpression: (node) => add(node.source, false),
    TSImportType: (node) => add(node.source, true),
  }).visit(tree.program);
  return imports.sort((a, b) => a.line - b.line);
}

function namesOf({ specifiers }: ImportDeclaration): ImportedName[] | undefined {
  const names: ImportedName[] = [];
  for (const specifier of specifiers) {
    if (specifier.type !== 'ImportSpecifier') return undefined;
    if (specifier.importKind === 'type') continue;
    names.push({ imported: nameOf(specifier.imported), local: specifier.local.name });
  }
  return specifiers.length === 0 ? undefined : names;
}

/** Of `a`, and of `"a b"` in `export { a as "a b" }`. */
export function nameOf(node: { readonly name: string } | { readonly value: string }): string {
  return 'name' in node ? node.name : node.value;
}
