import { background } from '@samovar/context';
import type { Registry } from '@samovar/registry';

/** The names of a registry's repositories, in its order. */
export async function namesIn(registry: Registry, of = 'main'): Promise<string[]> {
  return (await registry.listRegisteredRepos(background, { registry: of })).map(({ name }) => name);
}
