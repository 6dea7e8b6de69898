import { type Finding, isKind, type Rule } from '../rule.ts';
import type { ResolvedImport, SourceFile, SourcePackage, Workspace } from '../workspace.ts';

type Place = Required<Pick<Finding, 'path' | 'line'>>;
/** For each domain, those it imports, and where it does so first. */
export type DomainImports = ReadonlyMap<string, ReadonlyMap<string, Place>>;

export const domainCycle: Rule = {
  name: 'domain-cycle',
  says: 'Outside of tests, samovar and servertest, domains do not import each other in a circle, not even for types.',
  *check(workspace) {
    const graph = domainImports(workspace);
    const reported = new Set<string>();
    for (const domain of graph.keys()) {
      const cycle = shortestCycle(graph, domain);
      const key = cycle.toSorted().join();
      const place = graph.get(domain)?.get(cycle[1] ?? '');
      if (place === undefined || reported.has(key)) continue;
      reported.add(key);
      yield {
        ...place,
        message: `the domains ${[...cycle, domain].join(' → ')} import each other`,
        mend: 'move what both need to a domain below them, or tell the other by an event that it listens to',
      };
    }
  },
};

/** What the domains of the workspace import from each other, outside of tests and of what wires them all. */
export function domainImports({ packages }: Workspace): DomainImports {
  const graph = new Map<string, Map<string, Place>>();
  for (const from of packages) {
    if (from.domain === undefined || isKind(from, 'app', 'e2e')) continue;
    const edges = graph.get(from.domain) ?? new Map<string, Place>();
    graph.set(from.domain, edges);
    for (const file of from.files) {
      for (const found of file.imports) {
        const domain = found.target?.domain;
        if (domain === undefined || edges.has(domain) || !counts(from, file, found)) continue;
        edges.set(domain, { path: file.path, line: found.line });
      }
    }
  }
  return graph;
}

/** What another rule forbids makes no circle here: it would be told twice. */
function counts(from: SourcePackage, { isTest }: SourceFile, { target }: ResolvedImport): boolean {
  if (isTest || target === undefined || target.domain === from.domain) return false;
  return isKind(target, 'leaf') || (isKind(target, 'root', 'test') && !isKind(from, 'leaf'));
}

/** The domains of the shortest circle through `start`, `start` first; empty where there is none. */
function shortestCycle(graph: DomainImports, start: string): readonly string[] {
  const paths: (readonly [string, ...string[]])[] = [[start]];
  const seen = new Set<string>();
  for (const path of paths) {
    for (const next of graph.get(path.at(-1) ?? start)?.keys() ?? []) {
      if (next === start) return path;
      if (!seen.has(next)) paths.push([...path, next]);
      seen.add(next);
    }
  }
  return [];
}
