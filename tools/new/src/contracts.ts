import type { Package } from '@samovar/hierarchy/packages';
import type { Class, Function as FunctionNode } from 'oxc-parser';
import { suggestion } from './names.ts';
import { Refusal } from './refusal.ts';
import { exportedClasses, readSources, type Source } from './source.ts';

/** A domain whose contract a service gets by its constructor. */
export interface Dependency {
  readonly name: string;
  /** The contract's class. */
  readonly contract: string;
}

/** A double that tests make: `const numerical = new FakeNumerical(bus)`. */
export interface Fake {
  readonly variable: string;
  readonly cls: string;
  /** The package that has it. */
  readonly from: string;
  /** What its constructor gets: `bus`, and the variables of other doubles. */
  readonly args: string;
}

/** The contract of a domain: the abstract class that is called as it is. */
export function findContract(root: string, domain: string): { source: Source; cls: Class; name: string } | undefined {
  for (const source of readSources(root, `packages/${domain}/${domain}`, 'code')) {
    const found = exportedClasses(source).find(({ name, node }) => node.abstract && name.toLowerCase() === domain);
    if (found !== undefined) return { source, cls: found.node, name: found.name };
  }
  return undefined;
}

/** The class in these files that implements `contract`. */
export function findImplementation(
  sources: readonly Source[],
  contract: string,
): { source: Source; cls: Class; name: string } | undefined {
  for (const source of sources) {
    const found = exportedClasses(source).find(({ node }) =>
      (node.implements ?? []).some(
        ({ expression }) => expression.type === 'Identifier' && expression.name === contract,
      ),
    );
    if (found !== undefined) return { source, cls: found.node, name: found.name };
  }
  return undefined;
}

/** What the workspace has that a service may depend on. */
export interface Surroundings {
  readonly root: string;
  readonly packages: readonly Package[];
  /** The packages that the bill of materials imports. */
  readonly loaded: ReadonlySet<string>;
}

/** @throws {Refusal} if one of `names` is no domain with a contract, a double of it, and a module that is loaded. */
export function findDependencies(names: readonly string[], around: Surroundings): Dependency[] {
  return [...new Set(names)].map((name) => {
    const found = findDependency(name, around);
    if (typeof found !== 'string') return found;
    const domains = [...new Set(around.packages.flatMap(({ domain }) => domain ?? []))];
    throw new Refusal(
      found +
        suggestion(
          name,
          domains.filter((each) => typeof findDependency(each, around) !== 'string'),
        ),
    );
  });
}

/** The dependency, or why it is none. */
function findDependency(name: string, { root, packages, loaded }: Surroundings): Dependency | string {
  const own = packages.filter(({ domain }) => domain === name);
  if (own.length === 0) return `there is no domain '${name}' to depend on`;
  if (name === 'bus' || name === 'db') {
    return `leave '${name}' out of --depends, every service has the bus, and --store sql the database`;
  }
  const contract = findContract(root, name);
  if (contract === undefined) return `'${name}' has no contract to depend on, an abstract class of its name`;
  if (findDouble(root, name, contract.name) === undefined) {
    return `'${name}' has no double for tests, in packages/${name}/${name}test/src/fake.ts`;
  }
  if (!own.some((pkg) => loaded.has(pkg.name))) {
    return `'${name}' is not served, so nothing could depend on it: add its module to packages/server/samovar/src/modules.ts`;
  }
  return { name, contract: contract.name };
}

function findDouble(root: string, domain: string, contract: string): ReturnType<typeof findImplementation> {
  const sources = readSources(root, `packages/${domain}/${domain}test`, 'code');
  return findImplementation(
    sources.filter(({ path }) => path.endsWith('/fake.ts')),
    contract,
  );
}

/**
 * The doubles that tests make for the dependencies, and for what those doubles need: each behind those it needs.
 *
 * @throws {Refusal} if a double wants something that is neither the bus nor a contract.
 */
export function findFakes(root: string, dependencies: readonly Dependency[]): Fake[] {
  const fakes = new Map<string, Fake>();
  const visit = ({ name, contract }: Dependency) => {
    const from = `@samovar/${name}test`;
    const double = findDouble(root, name, contract);
    if (double === undefined)
      throw new Refusal(`there is no double of ${contract} in packages/${name}/${name}test/src/fake.ts`);
    const args = parameterTypes(double.cls).map((type) => {
      if (type === 'Bus') return 'bus';
      const home = type === undefined ? undefined : homeOf(double.source, type);
      const other = home === undefined ? undefined : findContract(root, home);
      if (home === undefined || other === undefined || other.name !== type) {
        throw new Refusal(
          `${double.name} of ${from} wants more than the bus and contracts: write what depends on ${name} by hand`,
        );
      }
      visit({ name: home, contract: other.name });
      return home;
    });
    fakes.set(name, { variable: name, cls: double.name, from, args: args.join(', ') });
  };
  for (const dependency of dependencies) visit(dependency);
  return [...fakes.values()];
}

/** The names of the types of a constructor's parameters, of optional ones too. */
function parameterTypes(cls: Class): (string | undefined)[] {
  const found = cls.body.body.find((member) => member.type === 'MethodDefinition' && member.kind === 'constructor');
  if (found?.type !== 'MethodDefinition') return [];
  return found.value.params.map((parameter) => typeOf(parameter));
}

function typeOf(parameter: FunctionNode['params'][number]): string | undefined {
  if (parameter.type !== 'Identifier') return undefined;
  const type = parameter.typeAnnotation?.typeAnnotation;
  return type?.type === 'TSTypeReference' && type.typeName.type === 'Identifier' ? type.typeName.name : undefined;
}

/** The domain whose root a file imports `name` from. */
function homeOf({ program }: Source, name: string): string | undefined {
  for (const node of program.body) {
    if (node.type !== 'ImportDeclaration') continue;
    const [, home] = /^@samovar\/([a-z0-9]+)$/.exec(node.source.value) ?? [];
    if (home !== undefined && node.specifiers.some(({ local }) => local.name === name)) return home;
  }
  return undefined;
}
