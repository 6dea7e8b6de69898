import type { ResolvedImport, SourceFile, SourcePackage, Workspace } from './workspace.ts';

/** One breach of a rule. */
export interface Finding {
  /** Relative to the workspace. */
  readonly path: string;
  /** From 1 up; undefined where the file as a whole is meant. */
  readonly line?: number;
  /** What is wrong. */
  readonly message: string;
  /** What to do about it. */
  readonly mend: string;
}

/** One rule of the package hierarchy. */
export interface Rule {
  /** Short and stable, in words joined by dashes. */
  readonly name: string;
  /** The rule itself, in a sentence for `--help`. */
  readonly says: string;
  readonly check: (workspace: Workspace) => Iterable<Finding>;
}

/** An import together with where it stands. */
export interface PlacedImport {
  readonly from: SourcePackage;
  readonly file: SourceFile;
  readonly found: ResolvedImport;
}

/** A rule about single imports: `judge` answers message and mend for one that breaks it. */
export function importRule(
  name: string,
  says: string,
  judge: (placed: PlacedImport) => Pick<Finding, 'message' | 'mend'> | undefined,
): Rule {
  return {
    name,
    says,
    *check({ packages }) {
      for (const from of packages) {
        for (const file of from.files) {
          for (const found of file.imports) {
            const verdict = judge({ from, file, found });
            if (verdict !== undefined) yield { path: file.path, line: found.line, ...verdict };
          }
        }
      }
    },
  };
}

/** Whether `pkg` is of one of these kinds. What siblings of a domain share, its core, is a kind of impl. */
export function isKind(pkg: SourcePackage, ...kinds: readonly string[]): boolean {
  return pkg.tags.some((tag) => kinds.includes(tag === 'core' ? 'impl' : tag));
}
