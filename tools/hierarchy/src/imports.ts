import { parseSync, Visitor } from 'oxc-parser';

/** A module that a file names: by import, export from, import(), or a type `import('…')`. */
export interface Import {
  readonly specifier: string;
  /** From 1 up. */
  readonly line: number;
  /** Gone when the types are stripped. */
  readonly typeOnly: boolean;
}

export interface ParsedFile {
  readonly imports: readonly Import[];
  /** The first thing the parser could not read, and its line. */
  readonly fault: { readonly message: string; readonly line: number } | undefined;
}

interface Literal {
  readonly type: string;
  readonly value?: unknown;
  readonly start: number;
}

/** What `source`, the text of `path`, imports. An import() whose argument is computed is none. */
export function parseImports(path: string, source: string): ParsedFile {
  const { program, errors } = parseSync(path, source);
  const imports: Import[] = [];
  const add = (literal: Literal | null, typeOnly: boolean) => {
    if (typeof literal?.value !== 'string') return;
    imports.push({ specifier: literal.value, line: lineAt(source, literal.start), typeOnly });
  };
  new Visitor({
    // A declaration of which only the names are types stays behind as `import {} from`, and runs.
    ImportDeclaration: (node) => add(node.source, node.importKind === 'type'),
    ExportNamedDeclaration: (node) => add(node.source, node.exportKind === 'type'),
    ExportAllDeclaration: (node) => add(node.source, node.exportKind === 'type'),
    ImportExpression: (node) => add(node.source, false),
    TSImportType: (node) => add(node.source, true),
  }).visit(program);
  imports.sort((a, b) => a.line - b.line);
  const [error] = errors;
  const fault = error && { message: error.message, line: lineAt(source, error.labels[0]?.start ?? 0) };
  return { imports, fault };
}

function lineAt(source: string, offset: number): number {
  return source.slice(0, offset).split('\n').length;
}
