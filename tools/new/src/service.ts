import { readPackages } from '@samovar/hierarchy/packages';
import { type Dependency, type Fake, findDependencies, findFakes } from './contracts.ts';
import { sorted, withDependencies } from './manifest.ts';
import { addModule, loadedPackages, readModules } from './modules.ts';
import { checkMessageName, checkServiceName, suggestion } from './names.ts';
import type { Plan } from './plan.ts';
import { Refusal } from './refusal.ts';
import { render } from './templates.ts';
import { article, capitalized, plural, singular } from './words.ts';

const stores = ['sql', 'events', 'none'] as const;
export type Store = (typeof stores)[number];

export interface ServiceRequest {
  readonly name: string;
  /** Domains whose contracts it gets. */
  readonly depends: readonly string[];
  readonly store: string;
  /** The name of its event; undefined: made from the service's. */
  readonly event: string | undefined;
}

/**
 * What a new service of the workspace at `root` consists of. Nothing is written.
 *
 * @throws {Refusal} if it cannot be made.
 */
export async function planService(root: string, request: ServiceRequest): Promise<Plan> {
  const packages = readPackages(root);
  const { name } = request;
  checkServiceName(name, packages, root);
  const store = stores.find((each) => each === request.store);
  if (store === undefined)
    throw new Refusal(`there is no store '${request.store}'${suggestion(request.store, stores)}`);
  const modules = readModules(root);
  const depends = findDependencies(request.depends, { root, packages, loaded: loadedPackages(modules) });
  const fakes = findFakes(root, depends);
  const words = wordsFor(name, request.event, depends);
  checkMessageName('event', name, words.Event);
  const data = {
    ...words,
    ...texts(store, depends),
    depends,
    fakes,
    sql: store === 'sql',
    events: store === 'events',
    dependencies: dependenciesOf(name, store, depends, fakes),
  };
  const rendered = await render(['common', store], data);
  const created = new Map([...rendered].map(([path, text]) => [`packages/${name}/${path}`, text]));
  addModule(modules, `${name}Module`, `@samovar/${name}impl`);
  const manifest = 'packages/server/samovar/package.json';
  const wanted = [`@samovar/${name}impl`, ...Object.keys(data.dependencies.impl)];
  const edited = new Map([[modules.path, modules.edited]]);
  const text = withDependencies(root, manifest, 'dependencies', wanted);
  if (text !== undefined) edited.set(manifest, text);
  return { created, edited };
}

function wordsFor(name: string, event: string | undefined, depends: readonly Dependency[]) {
  const item = singular(name);
  const [Name, Item] = [capitalized(name), capitalized(item)];
  const contracts = [Name, ...depends.map(({ contract }) => contract)];
  return {
    name,
    Name,
    item,
    Item,
    items: plural(item),
    Items: capitalized(plural(item)),
    article: article(item),
    Article: capitalized(article(item)),
    // A domain of one word for one and many, such as teapot, has called its contract so.
    Type: contracts.includes(Item) ? `${Item}Item` : Item,
    Event: event ?? `${Item}Added`,
  };
}

function texts(store: Store, depends: readonly Dependency[]) {
  const base = { sql: ['Db'], events: ['Conn'], none: [] }[store];
  const needed = ['Bus', ...depends.map(({ contract }) => contract), ...base];
  const needs = new Intl.ListFormat('en', { style: 'long', type: 'conjunction' })
    .format(needed)
    .replace(/, and /, ' and ');
  const where = { sql: 'in SQL', events: 'each on a stream of the log', none: 'in memory' }[store];
  return { needs, where };
}

const workspace = (names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [`@samovar/${name}`, 'workspace:^']));
const tools = {
  '@samovar/tsconfig': 'workspace:*',
  '@samovar/vitestconfig': 'workspace:*',
  '@types/node': 'catalog:',
  typescript: 'catalog:',
};

/** What the packages depend on: what their files import, and no more. */
function dependenciesOf(name: string, store: Store, depends: readonly Dependency[], fakes: readonly Fake[]) {
  const needed = { sql: ['db'], events: ['eda'], none: [] }[store];
  const tested = { sql: ['dbimpl', 'dbtest'], events: ['edaimpl', 'edatest'], none: [] }[store];
  const impl = workspace(['bus', 'context', name, 'server', ...needed, ...depends.map((each) => each.name)]);
  const test = workspace(['bus', 'context', 'message', name]);
  const doubles = Object.fromEntries(fakes.map(({ from }) => [from, 'workspace:^']));
  const root = workspace(['context', 'errors', 'message', ...(store === 'events' ? ['eda'] : [])]);
  return {
    root: sorted({ ...root, zod: 'catalog:' }),
    impl: sorted(impl),
    implDev: sorted({
      ...impl,
      ...workspace(['bustest', `${name}test`, ...tested]),
      ...doubles,
      ...tools,
      vitest: 'catalog:',
    }),
    test: sorted(test),
    testDev: sorted({ ...test, ...workspace(['bustest']), ...tools }),
  };
}
