import { type Comment, type Program, parseSync } from 'oxc-parser';

/** A source file as the TypeScript syntax has it. */
export interface Tree {
  readonly program: Program;
  /** The line, from 1 up, where a node begins. */
  lineOf(node: { readonly start: number }): number;
  /** The text of the doc comment right above a node, empty if it has none. */
  docOf(node: { readonly start: number }): string;
  /** The first thing the parser could not read, and its line. */
  readonly fault: { readonly message: string; readonly line: number } | undefined;
}

/** Parses `source`, the text of `path`. What the parser could not read is told by `fault`. */
export function parseTree(path: string, source: string): Tree {
  const { program, comments, errors } = parseSync(path, source);
  const lineOf = ({ start }: { readonly start: number }) => source.slice(0, start).split('\n').length;
  const [error] = errors;
  return {
    program,
    lineOf,
    docOf: ({ start }) => docBefore(start, comments, source),
    fault: error && { message: error.message, line: lineOf(error.labels[0] ?? { start: 0 }) },
  };
}

function docBefore(start: number, comments: readonly Comment[], source: string): string {
  const before = comments.findLast(({ end }) => end <= start);
  if (before === undefined || before.type !== 'Block' || !before.value.startsWith('*')) return '';
  return source.slice(before.end, start).trim() === '' ? before.value : '';
}
