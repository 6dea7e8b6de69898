import type { CatalogueEntry } from '@samovar/bus';
import type { JsonSchema } from '@samovar/message';

/** What a program may know about a message. */
export type CatalogueItem =
  | {
      readonly name: string;
      readonly kind: 'command' | 'query';
      readonly args: JsonSchema;
      /** null: it returns nothing. */
      readonly result: JsonSchema | null;
      /** Where its handler was added, as `file:line:column`. */
      readonly handledAt: string;
    }
  | {
      readonly name: string;
      readonly kind: 'event';
      readonly data: JsonSchema;
      readonly version: number;
      /** Whether it goes to a stream of the log. */
      readonly durable: boolean;
      readonly listenersAt: readonly string[];
    };

export function catalogueItem(entry: CatalogueEntry): CatalogueItem {
  if ('handledAt' in entry) {
    const { message, handledAt } = entry;
    const { name, kind } = message;
    return { name, kind, args: message.jsonSchema(), result: message.resultJsonSchema() ?? null, handledAt };
  }
  const { message, listenersAt } = entry;
  const { name, kind, version } = message;
  return { name, kind, data: message.jsonSchema(), version, durable: message.stream !== undefined, listenersAt };
}
