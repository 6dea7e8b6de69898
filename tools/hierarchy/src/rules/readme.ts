import { withDomainTable } from '../readme.ts';
import type { Rule } from '../rule.ts';
import type { Workspace } from '../workspace.ts';

export const readmeDomains: Rule = {
  name: 'readme-domains',
  says: "The README's table of domains, between its markers, is what --readme writes.",
  *check(workspace) {
    const message = workspace.readme === undefined ? undefined : faultOf(workspace.readme, workspace);
    if (message !== undefined) yield { path: 'README.md', ...message };
  },
};

function faultOf(readme: string, workspace: Workspace) {
  try {
    const right = withDomainTable(readme, workspace);
    if (right === readme) return undefined;
    const [lines, rightLines] = [readme.split('\n'), right.split('\n')];
    const line = lines.findIndex((text, index) => text !== rightLines[index]) + 1;
    return { line, message: 'the table of domains is stale', mend: 'run pnpm hierarchy --readme' };
  } catch (error) {
    return { message: (error as Error).message, mend: 'put both markers where the table belongs, then run --readme' };
  }
}
