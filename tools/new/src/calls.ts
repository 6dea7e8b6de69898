import {
  type ArrayExpression,
  type CallExpression,
  type Class,
  type Expression,
  type ExpressionStatement,
  Visitor,
} from 'oxc-parser';
import { Refusal } from './refusal.ts';
import { checkMethod, type NewMessage } from './roots.ts';
import type { Source } from './source.ts';

/** A command or query. */
export interface NewCall extends NewMessage {
  readonly kind: 'command' | 'query';
}

/** Adds the method to a class that implements the contract, behind its last public one. It throws, for now. */
export function addMethod({ source, cls }: { readonly source: Source; readonly cls: Class }, call: NewCall): void {
  const { domain, kind, constant, method, result, error } = call;
  checkMethod(source, cls, method);
  const last = cls.body.body.findLast(
    (member) =>
      member.type === 'MethodDefinition' &&
      member.key.type !== 'PrivateIdentifier' &&
      (member.accessibility ?? 'public') === 'public',
  );
  if (last === undefined) throw new Refusal(`${cls.id?.name} in ${source.path} has no method to put ${method} behind`);
  source.insert(
    last.end,
    `

  async ${method}(_ctx: Context, ${kind}: ${constant}): Promise<${kind === 'query' ? result : 'void'}> {
    ${constant}.parse(${kind});
    throw new ${error}(${constant}.name);
  }`,
  );
  source.addImport('@samovar/context', [{ name: 'Context', typeOnly: true }]);
  source.addImport(`@samovar/${domain}`, [
    { name: constant, typeOnly: false },
    { name: error, typeOnly: false },
    ...(kind === 'query' ? [{ name: result, typeOnly: true }] : []),
  ]);
}

interface Registration {
  readonly source: Source;
  readonly statement: ExpressionStatement;
  readonly call: CallExpression;
  /** Whose method the handler calls. */
  readonly receiver: string;
}

/** Has the message answered on the bus, behind the last that is: in the file of the class, or in another of its package. */
export function addHandler(home: Source, sources: readonly Source[], message: NewCall): void {
  const { kind, constant, method } = message;
  const last = [home, ...sources.filter((source) => source !== home)]
    .map((source) => registrationsIn(source).at(-1))
    .find((found) => found !== undefined);
  if (last === undefined) {
    throw new Refusal(
      `${home.path} and its package call no addHandler(…, (ctx, …) => this.…) to put the new one behind`,
    );
  }
  const { source, statement, call, receiver } = last;
  const handler = `(ctx, ${kind}) => ${receiver}.${method}(ctx, ${kind})`;
  source.insert(statement.end, `\n${source.textOf(call.callee)}(${constant}, ${handler});`);
  if (source !== home) source.addImport(`@samovar/${message.domain}`, [{ name: constant, typeOnly: false }]);
}

function registrationsIn(source: Source): Registration[] {
  const found: Registration[] = [];
  new Visitor({
    ExpressionStatement: (statement) => {
      const call = callOf(statement.expression);
      if (call?.callee.type !== 'MemberExpression' || call.callee.computed) return;
      const { property } = call.callee;
      if (property.type !== 'Identifier' || property.name !== 'addHandler') return;
      const [, handler] = call.arguments;
      if (handler?.type !== 'ArrowFunctionExpression' || handler.body.type === 'BlockStatement') return;
      const answer = callOf(handler.body);
      if (answer?.callee.type !== 'MemberExpression') return;
      found.push({ source, statement, call, receiver: source.textOf(answer.callee.object) });
    },
  }).visit(source.program);
  return found;
}

function callOf(node: Expression): CallExpression | undefined {
  const inner = node.type === 'ChainExpression' ? node.expression : node;
  return inner.type === 'CallExpression' ? inner : undefined;
}

/** Adds a case to fill in at the end of the suite: `verify` counts it as skipped. */
export function addTodo(suite: Source, { domain, constant }: NewMessage): void {
  let end: number | undefined;
  new Visitor({
    CallExpression: (node) => {
      const body = node.arguments.at(-1);
      if (end !== undefined || node.callee.type !== 'Identifier' || node.callee.name !== 'describe') return;
      if (body?.type === 'ArrowFunctionExpression' && body.body.type === 'BlockStatement') end = body.body.end - 1;
    },
  }).visit(suite.program);
  if (end === undefined) throw new Refusal(`${suite.path} has no describe(…, () => {…}) to put a case in`);
  suite.insert(end, `\n    it.todo('answers ${domain}.${constant}');\n`);
  suite.addImport('vitest', [{ name: 'it', typeOnly: false }]);
}

/** Adds the message to the lists of what is known on the bus that tests expect. */
export function addToLists(tests: readonly Source[], { domain, constant }: NewMessage): void {
  for (const source of tests) {
    new Visitor({
      ArrayExpression: (node) => {
        const names = stringsOf(node);
        if (!isCatalogue(domain, names)) return;
        const all = [...names, `${domain}.${constant}`].sort();
        source.replace(node, `[${all.map((name) => `'${name}'`).join(', ')}]`);
      },
    }).visit(source.program);
  }
}

/** Names of messages in their order, calls of the domain among them. */
function isCatalogue(domain: string, names: readonly string[]): boolean {
  if (!names.every((name, i) => /^[a-z0-9]+\.[A-Z]\w*$/.test(name) && name >= (names[i - 1] ?? ''))) return false;
  return names.some((name) => name.startsWith(`${domain}.`) && /(?:Command|Query)$/.test(name));
}

/** Empty unless all elements are strings. */
function stringsOf({ elements }: ArrayExpression): string[] {
  const strings = elements.flatMap((each) =>
    each?.type === 'Literal' && typeof each.value === 'string' ? [each.value] : [],
  );
  return strings.length === elements.length ? strings : [];
}
