import type { Finding, Rule } from './rule.ts';
import { contractContext, contractFake, contractThrows, fakeContract } from './rules/contracts.ts';
import { domainCycle } from './rules/cycles.ts';
import { undeclaredDependency, unusedDependency } from './rules/dependencies.ts';
import { unhandled, unpublished } from './rules/handling.ts';
import { compositionRoot, foreignImpl, inversify, rootImports } from './rules/imports.ts';
import { layout } from './rules/layout.ts';
import { messageName, messageUnique, queryResult } from './rules/messages.ts';
import { readmeDomains } from './rules/readme.ts';
import { rootRuntime } from './rules/runtime.ts';
import { exportedStore } from './rules/stores.ts';
import { syntax } from './rules/syntax.ts';
import type { Workspace } from './workspace.ts';

/** Every rule of the package hierarchy. */
export const rules: readonly Rule[] = [
  syntax,
  layout,
  rootImports,
  rootRuntime,
  foreignImpl,
  compositionRoot,
  inversify,
  undeclaredDependency,
  unusedDependency,
  domainCycle,
  messageName,
  messageUnique,
  queryResult,
  unhandled,
  unpublished,
  contractThrows,
  contractContext,
  contractFake,
  fakeContract,
  exportedStore,
  readmeDomains,
];

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
