import { type Message, messagesOf } from '../messages.ts';
import { isKind, type Rule } from '../rule.ts';
import { parseUses, type Uses } from '../uses.ts';
import type { SourceFile, Workspace } from '../workspace.ts';

export const unhandled: Rule = {
  name: 'unhandled-message',
  says: 'Every command and query of a root is handed to addHandler in an impl.',
  *check(workspace) {
    const files = implFiles(workspace);
    for (const message of messagesOf(workspace)) {
      if (message.kind === 'event' || files.some((file) => takes(file, message, 'handled'))) continue;
      yield {
        path: message.file.path,
        line: message.line,
        message: `nobody handles the ${message.kind} ${message.constant}`,
        mend: `call bus.addHandler(${message.constant}, …) in the init() of an impl of ${message.root.domain}, or remove it`,
      };
    }
  },
};

export const unpublished: Rule = {
  name: 'unpublished-event',
  says: 'Every event of a root is used at run time in an impl of its domain, other than to listen to it.',
  *check(workspace) {
    const files = implFiles(workspace);
    for (const message of messagesOf(workspace)) {
      const own = files.filter(({ domain }) => domain === message.root.domain);
      if (message.kind !== 'event' || own.some((file) => takes(file, message, 'referenced'))) continue;
      yield {
        path: message.file.path,
        line: message.line,
        message: `nobody publishes the event ${message.constant}`,
        mend: `publish it in an impl of ${message.root.domain}, or remove it`,
      };
    }
  },
};

interface ImplFile {
  readonly domain: string | undefined;
  readonly imports: SourceFile['imports'];
  readonly uses: Uses;
}

function implFiles({ packages }: Workspace): ImplFile[] {
  return packages
    .filter((pkg) => isKind(pkg, 'impl'))
    .flatMap(({ domain, files }) =>
      files.filter(({ isTest }) => !isTest).map(({ imports, tree }) => ({ domain, imports, uses: parseUses(tree) })),
    );
}

function takes({ imports, uses }: ImplFile, { root, constant }: Message, use: keyof Uses): boolean {
  return imports.some(
    ({ target, names = [] }) =>
      target === root && names.some(({ imported, local }) => imported === constant && uses[use].has(local)),
  );
}
