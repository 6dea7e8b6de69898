import { type CallExpression, Visitor } from 'oxc-parser';
import type { Tree } from './tree.ts';

/** What a file does with names at run time. */
export interface Uses {
  /** The first arguments of calls of a method addHandler. */
  readonly handled: ReadonlySet<string>;
  /** Identifiers in expressions, but for what is only handled or listened to. */
  readonly referenced: ReadonlySet<string>;
}

const registering = new Set(['addHandler', 'addEventListener']);

export function parseUses(tree: Tree): Uses {
  const handled = new Set<string>();
  const referenced = new Set<string>();
  const outside = new Set<number>();
  new Visitor({
    CallExpression: (node) => {
      const method = methodOf(node);
      const [first] = node.arguments;
      if (method === undefined || first?.type !== 'Identifier') return;
      outside.add(first.start);
      if (method === 'addHandler') handled.add(first.name);
    },
    ImportDeclaration: (node) => {
      for (const { local } of node.specifiers) outside.add(local.start);
      for (const specifier of node.specifiers) {
        if (specifier.type === 'ImportSpecifier') outside.add(specifier.imported.start);
      }
    },
    MemberExpression: ({ computed, property }) => void (computed || outside.add(property.start)),
    Property: ({ computed, shorthand, key }) => void (computed || shorthand || outside.add(key.start)),

    TSTypeReference: ({ typeName }) => void outside.add(typeName.start),
    TSTypeQuery: ({ exprName }) => void outside.add(exprName.start),
    Identifier: ({ name, start }) => {
      if (!outside.has(start)) referenced.add(name);
    },
  }).visit(tree.program);
  return { handled, referenced };
}

function methodOf({ callee }: CallExpression): string | undefined {
  if (callee.type !== 'MemberExpression' || callee.property.type !== 'Identifier') return undefined;
  return registering.has(callee.property.name) ? callee.property.name : undefined;
}
