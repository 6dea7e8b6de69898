import { domainImports } from './rules/cycles.ts';
import type { SourcePackage, Workspace } from './workspace.ts';

export interface Domain {
  readonly name: string;
  /** The root first, then the others in the order of their names, those for tests last. */
  readonly packages: readonly SourcePackage[];
  /** The domains it imports. */
  readonly imports: readonly string[];
}

/** The domains of the workspace: each behind those it imports, else in the order of their names. */
export function domainsOf(workspace: Workspace): Domain[] {
  const names = new Set(workspace.packages.flatMap(({ domain }) => domain ?? []));
  const graph = domainImports(workspace);
  const sorted = new Set<string>();
  const visiting = new Set<string>();
  const visit = (name: string) => {
    // Twice, where domains import each other in a circle.
    if (visiting.has(name)) return;
    visiting.add(name);
    for (const below of [...(graph.get(name)?.keys() ?? [])].sort()) visit(below);
    sorted.add(name);
  };
  for (const name of [...names].sort()) visit(name);
  return [...sorted].map((name) => ({
    name,
    packages: workspace.packages.filter(({ domain }) => domain === name).sort((a, b) => rank(a) - rank(b)),
    imports: [...(graph.get(name)?.keys() ?? [])].sort(),
  }));
}

function rank({ shortName, domain }: SourcePackage): number {
  return shortName === domain ? 0 : shortName.endsWith('test') ? 2 : 1;
}
