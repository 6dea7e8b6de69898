import { nameOf } from '../imports.ts';
import { type Finding, isKind, type Rule } from '../rule.ts';
import type { SourceFile, SourcePackage } from '../workspace.ts';

export const exportedStore: Rule = {
  name: 'exported-store',
  says: "An impl's entry exports no …Store: how things are stored is its own affair.",
  *check({ packages }) {
    for (const pkg of packages.filter((candidate) => isKind(candidate, 'impl'))) {
      for (const entry of entriesOf(pkg)) yield* storesOf(pkg, entry, new Set());
    }
  },
};

/** The files that the package's exports lead to where it is run from source. */
function entriesOf({ folder, manifest, files }: SourcePackage): SourceFile[] {
  const sources = Object.values(manifest.exports ?? {}).map((target) =>
    typeof target === 'string' ? target : (target as Readonly<Record<string, string>>)['@samovar/source'],
  );
  return files.filter(({ path }) => sources.some((source) => source && path === `${folder}/${source.slice(2)}`));
}

function* storesOf(pkg: SourcePackage, file: SourceFile, seen: Set<SourceFile>): Iterable<Finding> {
  if (seen.has(file)) return;
  seen.add(file);
  for (const { name, start } of exportsOf(file)) {
    if (!name.endsWith('Store')) continue;
    yield {
      path: file.path,
      line: file.tree.lineOf({ start }),
      message: `${pkg.name} exports ${name}`,
      mend: "do not export it from the package's entry: callers have the root's contract",
    };
  }
  for (const node of file.tree.program.body) {
    if (node.type !== 'ExportAllDeclaration' || node.exported !== null) continue;
    const source = new URL(node.source.value, `file:///${file.path}`).pathname.slice(1);
    const passedOn = pkg.files.find(({ path }) => path === source);
    if (passedOn !== undefined) yield* storesOf(pkg, passedOn, seen);
  }
}

function* exportsOf({ tree }: SourceFile): Iterable<{ readonly name: string; readonly start: number }> {
  for (const node of tree.program.body) {
    if (node.type !== 'ExportNamedDeclaration') continue;
    for (const { exported, start } of node.specifiers) yield { name: nameOf(exported), start };
    const { declaration } = node;
    if (declaration?.type === 'VariableDeclaration') {
      for (const { id } of declaration.declarations) if (id.type === 'Identifier') yield id;
    } else if (declaration && 'id' in declaration && declaration.id?.type === 'Identifier') {
      yield declaration.id;
    }
  }
}
