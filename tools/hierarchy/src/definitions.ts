import type { Argument, CallExpression, Expression, VariableDeclarator } from 'oxc-parser';
import type { Import } from './imports.ts';
import type { Tree } from './tree.ts';

const kinds = ['command', 'query', 'event'] as const;
export type MessageKind = (typeof kinds)[number];

/** A call of a definer of @samovar/message at the top of a file. */
export interface Definition {
  readonly kind: MessageKind;
  readonly line: number;
  /** The const that holds it. */
  readonly constant: string;
  readonly exported: boolean;
  /** Undefined where it is no literal. */
  readonly name: string | undefined;
  /** The struct's fields, as far as literals in the file tell. */
  readonly fields: readonly string[];
  /** The durable stream of an event, `*` for what its data tells, as far as the file tells; undefined where it has none. */
  readonly stream: string | undefined;
}

/** The messages that a file defines. */
export function parseDefinitions(tree: Tree, imports: readonly Import[]): Definition[] {
  const definers = definersOf(imports);
  if (definers.size === 0) return [];
  const constants = new Map<string, Expression>();
  const found: Definition[] = [];
  for (const { declarator, exported } of declarators(tree)) {
    if (declarator.id.type !== 'Identifier' || !declarator.init) continue;
    const { id, init } = declarator;
    constants.set(id.name, init);
    if (init.type !== 'CallExpression' || init.callee.type !== 'Identifier') continue;
    const kind = definers.get(init.callee.name);
    if (kind !== undefined) found.push(definitionOf(kind, id.name, exported, init, { tree, constants }));
  }
  return found;
}

function definersOf(imports: readonly Import[]): ReadonlyMap<string, MessageKind> {
  const definers = new Map<string, MessageKind>();
  for (const { names } of imports.filter(({ specifier }) => specifier === '@samovar/message')) {
    for (const { imported, local } of names ?? []) {
      const kind = kinds.find((candidate) => candidate === imported);
      if (kind !== undefined) definers.set(local, kind);
    }
  }
  return definers;
}

function* declarators({ program }: Tree): Iterable<{ declarator: VariableDeclarator; exported: boolean }> {
  for (const node of program.body) {
    const exported = node.type === 'ExportNamedDeclaration';
    const declaration = exported ? node.declaration : node;
    if (declaration?.type !== 'VariableDeclaration') continue;
    for (const declarator of declaration.declarations) yield { declarator, exported };
  }
}

type Constants = ReadonlyMap<string, Expression>;

function definitionOf(
  kind: MessageKind,
  constant: string,
  exported: boolean,
  call: CallExpression,
  { tree, constants }: { readonly tree: Tree; readonly constants: Constants },
): Definition {
  const [name, struct, options] = call.arguments;
  return {
    kind,
    line: tree.lineOf(call),
    constant,
    exported,
    name: name?.type === 'Literal' && typeof name.value === 'string' ? name.value : undefined,
    fields: fieldsOf(struct, constants),
    stream: kind === 'event' ? streamOf(propertiesOf(options, constants).get('stream'), constants) : undefined,
  };
}

/** The fields of `z.object({…})`, `Other.extend({…})`, and of chains of such calls. */
function fieldsOf(node: Argument | undefined, constants: Constants): string[] {
  if (node?.type === 'Identifier') return fieldsOf(constants.get(node.name), constants);
  if (node?.type !== 'CallExpression' || node.callee.type !== 'MemberExpression') return [];
  const own = propertiesOf(node.arguments[0], constants).keys();
  return [...fieldsOf(node.callee.object, constants), ...own];
}

/** What a function that names a stream returns: a literal, a template, or what another function does. */
function streamOf(node: Argument | undefined, constants: Constants): string | undefined {
  if (node === undefined) return undefined;
  if (node.type === 'Literal') return String(node.value);
  if (node.type === 'TemplateLiteral') return node.quasis.map(({ value }) => value.cooked).join('*');
  if (node.type === 'TaggedTemplateExpression') return streamOf(node.quasi, constants);
  if (node.type === 'ArrowFunctionExpression' && node.body.type !== 'BlockStatement') {
    return streamOf(node.body, constants);
  }
  const called = node.type === 'CallExpression' ? node.callee : node;
  const value = called.type === 'Identifier' ? constants.get(called.name) : undefined;
  return value === undefined ? '*' : streamOf(value, constants);
}

function propertiesOf(node: Argument | undefined, constants: Constants): ReadonlyMap<string, Expression> {
  const found = new Map<string, Expression>();
  const value = node?.type === 'Identifier' ? constants.get(node.name) : node;
  if (value?.type !== 'ObjectExpression') return found;
  for (const property of value.properties) {
    if (property.type === 'SpreadElement') {
      for (const [name, spread] of propertiesOf(property.argument, constants)) found.set(name, spread);
    } else if (!property.computed) {
      const { key } = property;
      if (key.type === 'Identifier') found.set(key.name, property.value);
      if (key.type === 'Literal') found.set(String(key.value), property.value);
    }
  }
  return found;
}
