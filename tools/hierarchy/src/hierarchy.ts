import type { Finding, Rule } from './rule.ts';
import { compositionRoot, foreignImpl, inversify, rootImports } from './rules/imports.ts';
import { layout } from './rules/layout.ts';
import { syntax } from './rules/syntax.ts';
import type { Workspace } from './workspace.ts';

/** Every rule of the package hierarchy. */
export const rules: readonly Rule[] = [syntax, layout, rootImports, foreignImpl, compositionRoot, inversify];

export interface Breach extends Finding {
  readonly rule: string;
}

/** What breaks the rules, in the order of files and lines. */
export function check(workspace: Workspace): Breach[] {
  const breaches = rules.flatMap((rule) => [...rule.check(workspace)].map((found) => ({ rule: rule.name, ...found })));
  return breaches.sort((a, b) => compare(a.path, b.path) || (a.line ?? 0) - (b.line ?? 0));
}

/** `packages/a/aimpl/src/service.ts:3  foreign-impl: what is wrong`, and below it the mend. */
export function format({ path, line, rule, message, mend }: Breach): string {
  return `${path}${line === undefined ? '' : `:${line}`}  ${rule}: ${message}\n    mend: ${mend}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
