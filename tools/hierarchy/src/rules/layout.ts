import type { Finding, Rule } from '../rule.ts';
import type { SourcePackage, Workspace } from '../workspace.ts';

const scope = '@samovar/';
const oneWord = /^[a-z][a-z0-9]*$/;
/** The two packages that are named after what they are, not by their kind's suffix. */
const special: Readonly<Record<string, string>> = { samovar: 'app', servertest: 'e2e' };

type Fault = Pick<Finding, 'message' | 'mend'> & { readonly file?: string };

/** Folder, npm name and tag tell the same; every domain has its root. */
export const layout: Rule = {
  name: 'layout',
  says: 'Folder, npm name and tag agree: <domain>, <domain>impl (or another technology), <domain>core (what those and <domain>test share), <domain>test; every domain has its root.',
  *check(workspace) {
    for (const pkg of workspace.packages) {
      const faults = [...nameFaults(pkg), ...tagFaults(pkg), ...neighbourFaults(pkg, workspace)];
      for (const { file = 'package.json', ...fault } of faults) yield { path: `${pkg.folder}/${file}`, ...fault };
    }
  },
};

function* nameFaults({ name, shortName, domain, folder }: SourcePackage): Iterable<Fault> {
  if (name !== scope + shortName) {
    yield { message: `${name} lies in ${folder}`, mend: `name it ${scope}${shortName}, or rename the folder` };
  }
  for (const word of new Set([domain ?? shortName, shortName])) {
    if (!oneWord.test(word)) {
      yield { message: `'${word}' is not one lower-case word`, mend: 'use letters and digits only, a letter first' };
    }
  }
  if (domain !== undefined && !shortName.startsWith(domain) && !Object.hasOwn(special, shortName)) {
    const mend = `call it ${domain}${shortName}, or move it to a domain of its own`;
    yield { message: `${name} does not begin with the name of its domain, ${domain}`, mend };
  }
}

function* tagFaults(pkg: SourcePackage): Iterable<Fault> {
  const fitting = fittingTags(pkg);
  const [tag] = pkg.tags;
  if (pkg.tags.length !== 1 || tag === undefined || !fitting.includes(tag)) {
    yield {
      file: 'turbo.json',
      message: `${pkg.name} has ${pkg.tags.length === 0 ? 'no tag' : `the tag ${pkg.tags.join(', ')}`}`,
      mend: `by its name it is ${fitting.join(' or ')}: write "tags": ["${fitting[0]}"]`,
    };
  }
  if (tag === 'tool' && pkg.manifest.private !== true) {
    yield { message: `the tool ${pkg.name} would be published`, mend: 'add "private": true' };
  }
}

function fittingTags({ shortName, domain }: SourcePackage): readonly [string, ...string[]] {
  if (domain === undefined) return ['tool'];
  if (shortName === domain) return ['root', 'leaf'];
  const named = Object.hasOwn(special, shortName) ? special[shortName] : undefined;
  if (named !== undefined) return [named];
  if (shortName === `${domain}core`) return ['core'];
  return [shortName.endsWith('test') ? 'test' : 'impl'];
}

function* neighbourFaults(pkg: SourcePackage, { packages }: Workspace): Iterable<Fault> {
  const twin = packages.find((other) => other.shortName === pkg.shortName);
  if (twin !== pkg) {
    yield { message: `${twin?.folder} has the same name`, mend: 'rename one of them: names are unique here' };
  }
  if (pkg.domain === undefined) return;
  const root = packages.find((other) => other.folder === `packages/${pkg.domain}/${pkg.domain}`);
  if (root === undefined) {
    const mend = `add packages/${pkg.domain}/${pkg.domain}`;
    yield { message: `the domain ${pkg.domain} has no root package`, mend };
  } else if (root !== pkg && root.tags.includes('leaf')) {
    yield {
      message: `${pkg.name} stands beside a leaf, which has no impl`,
      mend: `make ${root.name} a root, or merge`,
    };
  }
}
