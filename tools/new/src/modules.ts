import type { ArrayExpression, ArrayExpressionElement, Statement } from 'oxc-parser';
import { Refusal } from './refusal.ts';
import { readSource, type Source } from './source.ts';

/** The bill of materials, relative to the workspace. */
const billOfMaterials = 'packages/server/samovar/src/modules.ts';

/** The bill of materials. @throws {Refusal} if it is gone, or cannot be read. */
export function readModules(root: string): Source {
  return readSource(root, billOfMaterials);
}

/** The packages that it imports. */
export function loadedPackages({ program }: Source): ReadonlySet<string> {
  return new Set(program.body.flatMap((node) => (node.type === 'ImportDeclaration' ? [node.source.value] : [])));
}

/** What runs services, and lets callers in: it is started behind them. */
const behindServices = new Set(['consumersModule', 'apiModule', 'serverModule']);

/**
 * Adds a module behind the other services'.
 *
 * @throws {Refusal} if there is no function modules() that returns an array.
 */
export function addModule(source: Source, module: string, from: string): void {
  const list = listOf(source);
  if (list === undefined) {
    throw new Refusal(`${source.path} has no function modules() that returns an array: ${module} goes there`);
  }
  source.addImport(from, [{ name: module, typeOnly: false }]);
  const next = list.elements.findIndex((element) => behindServices.has(nameOf(element) ?? ''));
  const before = list.elements.at(next === -1 ? -1 : next - 1);
  if (list.elements.length === 0) source.insert(list.start + 1, module);
  else if (next === 0) source.insert(list.start + 1, `${module}, `);
  else if (before) source.insert(before.end, `,\n${module}`);
}

function listOf({ program }: Source): ArrayExpression | undefined {
  for (const node of program.body) {
    if (node.type !== 'ExportNamedDeclaration' || node.declaration?.type !== 'FunctionDeclaration') continue;
    const { id, body } = node.declaration;
    if (id?.name === 'modules') return (body?.body ?? []).map(returned).find((list) => list !== undefined);
  }
  return undefined;
}

function returned(statement: Statement | { readonly type: 'Directive' }): ArrayExpression | undefined {
  if (statement.type !== 'ReturnStatement') return undefined;
  return statement.argument?.type === 'ArrayExpression' ? statement.argument : undefined;
}

function nameOf(element: ArrayExpressionElement): string | undefined {
  const node = element?.type === 'CallExpression' ? element.callee : element;
  return node?.type === 'Identifier' ? node.name : undefined;
}
