import type { Conn } from '@samovar/eda';
import type { Outbox } from '@samovar/outbox';
import { afterEach, beforeEach, describe } from 'vitest';
import { addContract } from './contract/add.ts';
import { operatorContract } from './contract/operator.ts';
import { sendingContract } from './contract/sending.ts';

/** An empty Outbox, and the log that it sends to. */
export interface OutboxUnderTest extends AsyncDisposable {
  readonly outbox: Outbox;
  readonly conn: Conn;
  /** Sending to `stream` fails with `fault` from now on; undefined: no longer. */
  refuse(stream: string, fault: Error | undefined): void;
}

export type UnderTest = () => OutboxUnderTest;

/** The promises of {@link Outbox}, as a vitest suite. `start` makes what each test works on. */
export function outboxContract(name: string, start: () => Promise<OutboxUnderTest>): void {
  describe(`${name} as an Outbox`, () => {
    let current: OutboxUnderTest;
    beforeEach(async () => {
      current = await start();
    });
    afterEach(() => current[Symbol.asyncDispose]());
    const underTest = () => current;
    describe('add', () => addContract(underTest));
    describe('what was added', () => sendingContract(underTest));
    describe('a stuck row', () => operatorContract(underTest));
  });
}
