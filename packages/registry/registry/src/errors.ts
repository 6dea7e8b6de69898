import { DomainError } from '@samovar/errors';

/** No registry has this name (registry.notFound). */
export class RegistryNotFoundError extends DomainError {
  constructor(registry: string) {
    super('not_found', 'registry.notFound', {
      publicMessage: `no registry ${registry}: make it with samovar registry init ${registry}`,
      details: { registry },
    });
  }
}
