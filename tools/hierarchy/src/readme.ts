import { domainsOf } from './domains.ts';
import type { Workspace } from './workspace.ts';

const begin = '<!-- domains -->';
const end = '<!-- /domains -->';

/** The README's table of domains, as the workspace is: what each is for says its root's package.json. */
export function domainTable(workspace: Workspace): string {
  const rows = domainsOf(workspace).map(({ name, packages }) => {
    const cells = packages.map(({ shortName, folder }) => (shortName === name ? `[${name}](${folder})` : shortName));
    const root = packages.find(({ shortName }) => shortName === name);
    return `| ${name} | ${cells.join(', ')} | ${root?.manifest.description?.replaceAll('|', '\\|') ?? ''} |`;
  });
  return ['| domain | packages | what it is for |', '|---|---|---|', ...rows].join('\n');
}

/**
 * `readme` with today's table between its markers.
 *
 * @throws {Error} if the markers are missing, or the wrong way round.
 */
export function withDomainTable(readme: string, workspace: Workspace): string {
  const [from, to] = [readme.indexOf(begin), readme.indexOf(end)];
  if (from === -1 || to < from) throw new Error(`README.md has no ${begin} with an ${end} behind it`);
  return `${readme.slice(0, from)}${begin}\n${domainTable(workspace)}\n${readme.slice(to)}`;
}
