import { Conn } from '@samovar/eda';
import { Journals } from '@samovar/journal';
import { ContainerModule } from 'inversify';
import { edaJournals } from './journalimpl.ts';

/** Binds Journals, on the streams of the log. Needs Conn. */
export const journalModule = new ContainerModule(({ bind }) => {
  bind(Journals)
    .toResolvedValue((conn) => edaJournals(conn), [Conn])
    .inSingletonScope();
});
