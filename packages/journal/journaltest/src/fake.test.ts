import { journalContract } from './contract.ts';
import { FakeJournals } from './fake.ts';

journalContract('FakeJournals', async () => {
  const journals = new FakeJournals();
  return { journals, others: journals, [Symbol.asyncDispose]: async () => {} };
});
