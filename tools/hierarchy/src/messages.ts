import type { Definition } from './definitions.ts';
import { isKind } from './rule.ts';
import type { SourceFile, SourcePackage, Workspace } from './workspace.ts';

/** A message that a root defines, and where. */
export interface Message extends Definition {
  readonly root: SourcePackage;
  readonly file: SourceFile;
}

/** The messages of all roots, in the order of files and lines. Those of tests are none. */
export function messagesOf({ packages }: Workspace): Message[] {
  return packages
    .filter((pkg) => isKind(pkg, 'root'))
    .flatMap((root) =>
      root.files
        .filter(({ isTest }) => !isTest)
        .flatMap((file) => file.definitions.map((definition) => ({ ...definition, root, file }))),
    );
}
