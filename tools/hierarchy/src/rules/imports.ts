import { importRule, isKind } from '../rule.ts';
import { packageName } from '../workspace.ts';

/** The kinds that a root may import. */
const allowed = { leaf: ['leaf'], root: ['leaf', 'root'] } as const;

export const rootImports = importRule(
  'root-imports',
  'A leaf imports leaves, a root leaves and roots, also for types and in tests.',
  ({ from, file, found: { target } }) => {
    const kind = isKind(from, 'leaf') ? 'leaf' : isKind(from, 'root') ? 'root' : undefined;
    if (kind === undefined || target === undefined || target === from) return undefined;
    if (isKind(target, ...allowed[kind])) return undefined;
    if (isKind(target, 'tool') && file.path.endsWith('.config.ts')) return undefined;
    return {
      message: `${kind} ${from.name} imports ${target.tags.join()} ${target.name}`,
      mend: `declare in ${from.name} what its callers need, and move what needs ${target.name} to a package beside it`,
    };
  },
);

export const foreignImpl = importRule(
  'foreign-impl',
  "Outside of tests, only samovar imports another domain's impl.",
  ({ from, file, found: { target } }) => {
    if (target === undefined || !isKind(target, 'impl') || target.domain === from.domain) return undefined;
    // Roots have the stricter rule; tools belong to no domain.
    if (file.isTest || isKind(from, 'app', 'leaf', 'root', 'tool')) return undefined;
    return {
      message: `${from.name} imports ${target.name}, which belongs to the domain ${target.domain}`,
      mend: `import the contract from @samovar/${target.domain}, and take the implementation by the constructor`,
    };
  },
);

export const compositionRoot = importRule(
  'composition-root',
  'Only servertest imports samovar.',
  ({ from, found: { target } }) => {
    if (target === undefined || target === from || !isKind(target, 'app') || isKind(from, 'e2e')) return undefined;
    // Roots have the stricter rule.
    if (isKind(from, 'leaf', 'root')) return undefined;
    return {
      message: `${from.name} imports the composition root ${target.name}`,
      mend: 'move what both need to a package that both may import, or the test that needs a whole server to servertest',
    };
  },
);

export const inversify = importRule(
  'inversify',
  'Outside of tests, only src/module.ts of an impl or test package, samovar and servertest import inversify.',
  ({ from, file, found: { specifier } }) => {
    const name = packageName(specifier);
    if (name !== 'inversify' && !name.startsWith('@inversifyjs/')) return undefined;
    if (isKind(from, 'app', 'e2e', 'tool')) return undefined;
    const wires = file.isTest || file.path === `${from.folder}/src/module.ts`;
    if (wires && !isKind(from, 'leaf', 'root')) return undefined;
    return {
      message: `${from.name} imports ${specifier} outside of its module.ts`,
      mend: 'take dependencies by the constructor, and bind them in src/module.ts',
    };
  },
);
