import { importRule, isKind } from '../rule.ts';
import { packageName, type SourcePackage } from '../workspace.ts';

const libraries = new Set(['zod', '@bufbuild/protobuf']);

/** A root is loaded by every caller, also by those in browsers and by other companies' programs. */
export const rootRuntime = importRule(
  'root-runtime',
  "At run time, a root imports leaves, zod, @bufbuild/protobuf, and other roots' definers, schemas and error classes.",
  ({ from, file, found: { target, specifier, typeOnly, names } }) => {
    if (!isKind(from, 'leaf', 'root') || file.isTest || !file.path.startsWith(`${from.folder}/src/`)) return undefined;
    if (typeOnly || target === from || isJudgedElsewhere(target, specifier)) return undefined;
    if (target === undefined) {
      if (libraries.has(packageName(specifier)) || (isKind(from, 'leaf') && specifier.startsWith('node:'))) {
        return undefined;
      }
      return {
        message: `${from.name} imports ${specifier} at run time`,
        mend: 'write `import type` if types are all it needs, else move what needs it to an impl',
      };
    }
    if (isKind(target, 'leaf')) return undefined;
    if (names === undefined || names.length === 0) {
      return {
        message: `${from.name} imports the whole of ${target.name} at run time`,
        mend: 'name what it needs, with `import type` for types',
      };
    }
    const contract = names.find(({ imported }) => !imported.endsWith('Error') && isClass(target, imported));
    if (contract === undefined) return undefined;
    return {
      message: `${from.name} imports the class ${contract.imported} of ${target.name} at run time`,
      mend: `write \`import type\`: what needs the value of ${contract.imported} belongs in an impl`,
    };
  },
);

/** root-imports and inversify have the stricter word. */
function isJudgedElsewhere(target: SourcePackage | undefined, specifier: string): boolean {
  if (target !== undefined) return !isKind(target, 'leaf', 'root');
  return specifier === 'inversify' || specifier.startsWith('@inversifyjs/');
}

function isClass({ files }: SourcePackage, name: string): boolean {
  return files.some(({ isTest, classes }) => !isTest && classes.some((found) => found.name === name));
}
