import type { AbstractMethod, ExportedClass } from '../classes.ts';
import { isKind, type Rule } from '../rule.ts';
import type { SourceFile, SourcePackage, Workspace } from '../workspace.ts';

/** An abstract class that a root exports. */
interface Contract {
  readonly root: SourcePackage;
  readonly file: SourceFile;
  readonly contract: ExportedClass;
}

/** The contracts of all roots, in the order of files. */
function contractsOf({ packages }: Workspace): Contract[] {
  return packages
    .filter((pkg) => isKind(pkg, 'root'))
    .flatMap((root) =>
      root.files
        .filter(({ isTest }) => !isTest)
        .flatMap((file) =>
          file.classes.filter(({ abstract }) => abstract).map((contract) => ({ root, file, contract })),
        ),
    );
}

const onOneLine = (doc: string) => doc.replaceAll(/\s*\n\s*\*\s*/g, ' ');
const tellsFailures = (doc: string) => /@throws\b|\bcannot fail\b/i.test(onOneLine(doc));
/** Services implement it, and the framework alone calls it: nobody is in need of a double. */
const isForServices = (doc: string) => /\bBound in module\.ts\b/.test(onOneLine(doc));

export const contractThrows: Rule = {
  name: 'contract-throws',
  says: "A contract's method, or the contract, says in its doc comment what it `@throws`, or that it cannot fail.",
  *check(workspace) {
    for (const { file, contract } of contractsOf(workspace)) {
      if (tellsFailures(contract.doc)) continue;
      for (const { name, line } of contract.abstractMethods.filter((method) => !tellsFailures(method.doc))) {
        yield {
          path: file.path,
          line,
          message: `${contract.name}.${name} does not say how it fails`,
          mend: "add '@throws {…Error}' for each error that callers may meet, or 'cannot fail'",
        };
      }
    }
  },
};

export const contractContext: Rule = {
  name: 'contract-context',
  says: "A contract's method takes `ctx: Context` first, if it asks something of a domain with messages or promises to.",
  *check(workspace) {
    for (const { root, file, contract } of contractsOf(workspace)) {
      const hasMessages = root.files.some(({ isTest, definitions }) => !isTest && definitions.length > 0);
      for (const method of contract.abstractMethods) {
        if (method.ctxFirst || !needsContext(method, hasMessages)) continue;
        yield {
          path: file.path,
          line: method.line,
          message: `${contract.name}.${method.name} does not take a context first`,
          mend: "make 'ctx: Context' its first parameter: callers cancel, and pass on who asks, by it",
        };
      }
    }
  },
};

/** What answers at once, or is asked nothing (`close()`), has nothing to cancel where the domain has no messages. */
function needsContext({ parameters, promises }: AbstractMethod, hasMessages: boolean): boolean {
  return hasMessages || (promises && parameters > 0);
}

export const contractFake: Rule = {
  name: 'contract-fake',
  says:
    'A contract that is called with a ctx has a double in <domain>test, or a ./conformance suite that real ones pass; ' +
    "not one for services to implement: its doc comment says 'Bound in module.ts'.",
  *check(workspace) {
    for (const { root, file, contract } of contractsOf(workspace)) {
      if (isForServices(contract.doc) || !contract.abstractMethods.some(({ ctxFirst }) => ctxFirst)) continue;
      const tests = testsOf(root, workspace);
      if (tests && (exportsSuite(tests, 'conformance') || doubles(tests, contract.name))) continue;
      const lack = tests ? `no double in ${tests.name}` : `no double, and its domain ${root.domain} no test package`;
      const message = `${contract.name} has ${lack}`;
      yield {
        path: file.path,
        line: contract.line,
        message,
        mend: `export a class Fake${contract.name} from it that behaves, or a function that makes a fresh ${contract.name}`,
      };
    }
  },
};

export const fakeContract: Rule = {
  name: 'fake-contract',
  says: 'A test package with a double exports ./contract (or ./conformance), the suite that double and impl pass.',
  *check(workspace) {
    for (const { root, contract } of contractsOf(workspace)) {
      const tests = testsOf(root, workspace);
      if (tests === undefined || !doubles(tests, contract.name)) continue;
      if (exportsSuite(tests, 'contract') || exportsSuite(tests, 'conformance')) continue;
      yield {
        path: `${tests.folder}/package.json`,
        message: `${tests.name} has a double of ${contract.name}, and no suite that holds it to the contract`,
        mend: 'write src/contract.ts, export it as ./contract, and run it for the double and for the impl',
      };
    }
  },
};

function testsOf({ domain }: SourcePackage, { packages }: Workspace): SourcePackage | undefined {
  return packages.find((pkg) => pkg.shortName === `${domain}test` && isKind(pkg, 'test'));
}

function exportsSuite({ manifest }: SourcePackage, suite: string): boolean {
  return Object.hasOwn(manifest.exports ?? {}, `./${suite}`);
}

function doubles({ files }: SourcePackage, contract: string): boolean {
  return files.some(
    ({ isTest, classes, returned }) =>
      !isTest && (returned.has(contract) || classes.some(({ bases }) => bases.includes(contract))),
  );
}
