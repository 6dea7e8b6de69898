import type { Rule } from '../rule.ts';

/** A file that cannot be parsed would escape every other rule. */
export const syntax: Rule = {
  name: 'syntax',
  says: 'Every source file can be parsed.',
  *check({ packages }) {
    for (const { path, tree } of packages.flatMap((pkg) => pkg.files)) {
      const { fault } = tree;
      if (fault !== undefined) {
        yield {
          path,
          line: fault.line,
          message: fault.message,
          mend: 'mend the syntax: its imports cannot be checked',
        };
      }
    }
  },
};
