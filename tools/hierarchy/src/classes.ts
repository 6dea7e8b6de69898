import { type Class, type ClassElement, type Function as FunctionNode, Visitor } from 'oxc-parser';
import type { Tree } from './tree.ts';

/** A class that a file exports. */
export interface ExportedClass {
  readonly name: string;
  readonly line: number;
  readonly abstract: boolean;
  /** The text of its doc comment. */
  readonly doc: string;
  /** The names of what it extends and implements. */
  readonly bases: readonly string[];
  readonly abstractMethods: readonly AbstractMethod[];
}

/** An abstract method; one named by a symbol is none of these. */
export interface AbstractMethod {
  readonly name: string;
  readonly line: number;
  readonly doc: string;
  readonly parameters: number;
  /** Whether its first parameter is `ctx: Context`. */
  readonly ctxFirst: boolean;
  /** Whether it is declared to return a promise. */
  readonly promises: boolean;
}

/** The classes that a file exports where it declares them. */
export function parseClasses(tree: Tree): ExportedClass[] {
  const classes: ExportedClass[] = [];
  for (const node of tree.program.body) {
    if (node.type !== 'ExportNamedDeclaration' || node.declaration?.type !== 'ClassDeclaration') continue;
    const { declaration } = node;
    classes.push({
      name: declaration.id?.name ?? '',
      line: tree.lineOf(node),
      abstract: declaration.abstract ?? false,
      doc: tree.docOf(node),
      bases: basesOf(declaration),
      abstractMethods: declaration.body.body.flatMap((member) => methodOf(tree, member)),
    });
  }
  return classes;
}

/** The names of the types that the functions a file exports are declared to return, wherever in the return type. */
export function parseReturns(tree: Tree): ReadonlySet<string> {
  const names = new Set<string>();
  const spans: FunctionNode['returnType'][] = [];
  for (const node of tree.program.body) {
    if (node.type !== 'ExportNamedDeclaration' || node.declaration?.type !== 'FunctionDeclaration') continue;
    spans.push(node.declaration.returnType ?? null);
  }
  new Visitor({
    TSTypeReference: ({ typeName, start, end }) => {
      if (typeName.type !== 'Identifier') return;
      if (spans.some((span) => span && span.start <= start && end <= span.end)) names.add(typeName.name);
    },
  }).visit(tree.program);
  return names;
}

function basesOf({ superClass, implements: contracts = [] }: Class): string[] {
  const bases = [superClass, ...contracts.map(({ expression }) => expression)];
  return bases.flatMap((base) => (base?.type === 'Identifier' ? [base.name] : []));
}

function methodOf(tree: Tree, node: ClassElement): AbstractMethod[] {
  if (node.type !== 'TSAbstractMethodDefinition' || node.computed || node.key.type !== 'Identifier') return [];
  const { params, returnType } = node.value;
  const [first] = params;
  const named = first?.type === 'Identifier' && first.name === 'ctx' ? first.typeAnnotation : undefined;
  return [
    {
      name: node.key.name,
      line: tree.lineOf(node),
      doc: tree.docOf(node),
      parameters: params.length,
      ctxFirst: refersTo(named, 'Context'),
      promises: refersTo(returnType, 'Promise'),
    },
  ];
}

function refersTo(annotation: FunctionNode['returnType'] | undefined, name: string): boolean {
  const type = annotation?.typeAnnotation;
  return type?.type === 'TSTypeReference' && type.typeName.type === 'Identifier' && type.typeName.name === name;
}
