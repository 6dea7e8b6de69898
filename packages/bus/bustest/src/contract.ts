import type { Bus } from '@samovar/bus';
import { describe } from 'vitest';
import { callContract } from './contract/calls.ts';
import { catalogueContract } from './contract/catalogue.ts';
import { durableEventContract } from './contract/durable.ts';
import { eventContract } from './contract/events.ts';
import { middlewareContract } from './contract/middleware.ts';
import { transactionContract } from './contract/transactions.ts';

/**
 * The promises of {@link Bus}, as a vitest suite. `makeBus` makes a new, empty bus for each test; several may share one
 * database.
 */
export function busContract(name: string, makeBus: () => Bus): void {
  describe(`${name} as a Bus`, () => {
    callContract(makeBus);
    eventContract(makeBus);
    durableEventContract(makeBus);
    middlewareContract(makeBus);
    transactionContract(makeBus);
    catalogueContract(makeBus);
  });
}
