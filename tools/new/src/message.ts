import { type Package, readPackages } from '@samovar/hierarchy/packages';
import type { MessageKind } from '@samovar/message';
import { addHandler, addMethod, addTodo, addToLists, type NewCall } from './calls.ts';
import { findContract, findImplementation } from './contracts.ts';
import { withDependencies } from './manifest.ts';
import { checkMessageName, suggestion } from './names.ts';
import type { Plan } from './plan.ts';
import { Refusal } from './refusal.ts';
import { addDefinition, type NewMessage } from './roots.ts';
import { readSource, readSources, type Source } from './source.ts';
import { uncapitalized } from './words.ts';

const kinds: readonly MessageKind[] = ['command', 'query', 'event'];
const suffixes = { command: 'Command', query: 'Query', event: '' } as const;

export interface MessageRequest {
  readonly service: string;
  /** Command, query or event, in any case. */
  readonly kind: string;
  /** With or without the kind's suffix. */
  readonly name: string;
}

export interface MessagePlan extends Plan {
  readonly message: NewMessage;
  /** The contract's file. */
  readonly root: string;
  /** Where the service's class is. */
  readonly service: string;
  /** The suite's file. */
  readonly suite: string;
}

/**
 * What a new message changes. Nothing is written.
 *
 * @throws {Refusal} if it cannot be added, or a place to add something to cannot be found.
 */
export function planMessage(root: string, { service, kind: givenKind, name }: MessageRequest): MessagePlan {
  const packages = readPackages(root);
  const domain = findDomain(packages, service);
  const kind = kinds.find((each) => each === givenKind.toLowerCase());
  if (kind === undefined) {
    throw new Refusal(`there is no kind '${givenKind}'${suggestion(givenKind.toLowerCase(), kinds)}`);
  }
  const contract = findContract(root, domain);
  if (contract === undefined) throw new Refusal(`packages/${domain}/${domain} exports no abstract class ${domain}`);
  const message = nameMessage(domain, contract.name, kind, name);
  const { addsError } = addDefinition(contract, message);
  const implFolders = packages
    .filter((pkg) => pkg.domain === domain && pkg.tags.includes('impl'))
    .map(({ folder }) => folder);
  const impls = implFolders.map((folder) => readSources(root, folder, 'code'));
  const real = impls.find((sources) => findImplementation(sources, contract.name)) ?? [];
  const place = findImplementation(real, contract.name);
  if (place === undefined) throw new Refusal(`no impl of ${domain} has a class that implements ${contract.name}`);
  const suite = readSource(root, `packages/${domain}/${domain}test/src/contract.ts`);
  const edited = [contract.source];
  if (kind !== 'event') {
    const doubles = readSources(root, `packages/${domain}/${domain}test`, 'code');
    const tests = implFolders.flatMap((folder) => readSources(root, folder, 'tests'));
    addCall({ ...message, kind }, contract.name, [real, doubles]);
    addTodo(suite, message);
    addToLists(tests, message);
    edited.push(...real, ...doubles.filter(({ path }) => path !== suite.path), suite, ...tests);
  }
  const texts = new Map(edited.filter(({ isEdited }) => isEdited).map((source) => [source.path, source.edited]));
  if (addsError) {
    const manifest = `packages/${domain}/${domain}/package.json`;
    const text = withDependencies(root, manifest, 'dependencies', ['@samovar/errors']);
    if (text !== undefined) texts.set(manifest, text);
  }
  return {
    created: new Map(),
    edited: texts,
    message,
    root: contract.source.path,
    service: place.source.path,
    suite: suite.path,
  };
}

function findDomain(packages: readonly Package[], service: string): string {
  const domains = packages.filter(({ domain, shortName, tags }) => shortName === domain && tags.includes('root'));
  if (domains.some(({ shortName }) => shortName === service)) return service;
  const known = domains.map(({ shortName }) => shortName);
  throw new Refusal(`there is no service '${service}'${suggestion(service, known)}`);
}

function nameMessage(domain: string, contract: string, kind: MessageKind, given: string): NewMessage {
  const suffix = suffixes[kind];
  const base = given.endsWith(suffix) ? given.slice(0, given.length - suffix.length) : given;
  if (!/^[A-Z][A-Za-z0-9]*$/.test(base)) throw new Refusal(`'${given}' is no name for a message: write it as BrewTea`);
  const constant = `${base}${suffix}`;
  checkMessageName(kind, domain, constant);
  return {
    domain,
    kind,
    constant,
    method: uncapitalized(base),
    result: `${base}Result`,
    error: `${contract}NotImplementedError`,
  };
}

/** Adds method and handler to the real thing and to its double. */
function addCall(call: NewCall, contract: string, packages: readonly (readonly Source[])[]): void {
  for (const sources of packages) {
    const place = findImplementation(sources, contract);
    if (place === undefined)
      throw new Refusal(`packages/${call.domain}/${call.domain}test has no class that implements ${contract}`);
    addMethod(place, call);
    addHandler(place.source, sources, call);
  }
}
