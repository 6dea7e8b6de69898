import type { MessageKind } from '@samovar/message';
import type { Class, Statement } from 'oxc-parser';
import { Refusal } from './refusal.ts';
import { exportedClasses, type ImportedName, type Source } from './source.ts';

export interface NewMessage {
  readonly domain: string;
  readonly kind: MessageKind;
  /** What it is exported as. */
  readonly constant: string;
  /** The contract's method; not of events. */
  readonly method: string;
  /** The type of what a query answers. */
  readonly result: string;
  /** The class of what is thrown until it is written; not of events. */
  readonly error: string;
}

/**
 * Adds the message to its root: definition and types, and for a command or query the contract's method, and the error
 * that it fails with for now.
 *
 * @throws {Refusal} if the root has something of its name, or no message to put it behind.
 */
export function addDefinition(
  { source, cls }: { readonly source: Source; readonly cls: Class },
  message: NewMessage,
): { readonly addsError: boolean } {
  const { kind, constant, error, method } = message;
  const taken = kind === 'query' ? [constant, message.result] : [constant];
  const clash = taken.find((name) => declaredNames(source).has(name));
  if (clash !== undefined) throw new Refusal(`${source.path} has ${clash} already: choose another name`);
  const last = lastDefinition(source);
  if (last === undefined) throw new Refusal(`${source.path} defines no message that the new one could go behind`);
  source.insert(last, `\n\n${definitionText(message)}`);
  source.addImport('@samovar/message', definers(kind));
  source.addImport('zod', [{ name: 'z', typeOnly: false }]);
  if (kind === 'event') return { addsError: false };
  checkMethod(source, cls, method);
  source.insert(cls.body.end - 1, `\n${methodText(message)}`);
  if (declaredNames(source).has(error)) return { addsError: false };
  const errors = exportedClasses(source).filter(({ node }) => node.superClass?.type === 'Identifier');
  source.insert(errors.at(-1)?.node.end ?? last, `\n\n${errorText(message)}`);
  source.addImport('@samovar/errors', [{ name: 'DomainError', typeOnly: false }]);
  return { addsError: true };
}

/** @throws {Refusal} if the class has a member of that name. */
export function checkMethod(source: Source, cls: Class, method: string): void {
  const taken = cls.body.body.some(
    (member) => 'key' in member && member.key.type === 'Identifier' && member.key.name === method,
  );
  if (taken) throw new Refusal(`${cls.id?.name} in ${source.path} has ${method} already: choose another name`);
}

function definers(kind: MessageKind): ImportedName[] {
  const names = [
    { name: kind, typeOnly: false },
    { name: 'ArgsOf', typeOnly: true },
  ];
  return kind === 'query' ? [...names, { name: 'ResultOf', typeOnly: true }] : names;
}

function definitionText({ domain, kind, constant, result }: NewMessage): string {
  const answer = kind === 'query' ? ', z.unknown()' : '';
  const lines = [
    `export const ${constant} = ${kind}('${domain}.${constant}', z.object({})${answer});`,
    `export type ${constant} = ArgsOf<typeof ${constant}>;`,
  ];
  if (kind === 'query') lines.push(`export type ${result} = ResultOf<typeof ${constant}>;`);
  return lines.join('\n');
}

function methodText({ kind, constant, method, result, error }: NewMessage): string {
  return `  /** @throws {InvalidMessageError} @throws {${error}} until it is written. */
  abstract ${method}(ctx: Context, ${kind}: ${constant}): Promise<${kind === 'query' ? result : 'void'}>;
`;
}

function errorText({ domain, error }: NewMessage): string {
  return `/** What was asked for is promised, and not written yet (${domain}.notImplemented). */
export class ${error} extends DomainError {
  constructor(message: string) {
    super('unimplemented', '${domain}.notImplemented', {
      publicMessage: \`\${message} is not implemented yet\`,
      details: { message },
    });
  }
}`;
}

/** Everything that the file declares or imports at its top. */
function declaredNames({ program }: Source): ReadonlySet<string> {
  return new Set(program.body.flatMap((node) => namesOf(node)));
}

function namesOf(node: Source['program']['body'][number]): string[] {
  if (node.type === 'ImportDeclaration') return node.specifiers.map(({ local }) => local.name);
  const declaration = node.type === 'ExportNamedDeclaration' ? node.declaration : node;
  if (declaration?.type === 'VariableDeclaration') {
    return declaration.declarations.flatMap(({ id }) => (id.type === 'Identifier' ? [id.name] : []));
  }
  return declaration && 'id' in declaration && declaration.id?.type === 'Identifier' ? [declaration.id.name] : [];
}

/** Where the last message's definition, with the types behind it, ends. */
function lastDefinition({ program }: Source): number | undefined {
  let index = program.body.findLastIndex((node) => isDefinition(node));
  while (isExportedType(program.body[index + 1])) index++;
  return program.body[index]?.end;
}

function isExportedType(node: Source['program']['body'][number] | undefined): boolean {
  return node?.type === 'ExportNamedDeclaration' && node.declaration?.type === 'TSTypeAliasDeclaration';
}

function isDefinition(node: Statement | Source['program']['body'][number]): boolean {
  if (node.type !== 'ExportNamedDeclaration' || node.declaration?.type !== 'VariableDeclaration') return false;
  return node.declaration.declarations.some(
    ({ init }) =>
      init?.type === 'CallExpression' &&
      init.callee.type === 'Identifier' &&
      ['command', 'query', 'event'].includes(init.callee.name),
  );
}
