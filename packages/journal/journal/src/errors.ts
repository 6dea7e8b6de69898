import type { Event } from '@samovar/eda';
import { DomainError } from '@samovar/errors';

/** An event of an entity's stream is not as its definition says, so the entity cannot be told (journal.unreadableEvent). */
export class UnreadableEventError extends DomainError {
  constructor({ stream, id, type }: Event, { cause }: { readonly cause: unknown }) {
    super('data_loss', 'journal.unreadableEvent', {
      publicMessage: `event ${id} of ${stream} is no ${type} that this server can read: has a newer one written it?`,
      details: { stream, id, type },
      cause,
    });
  }
}
