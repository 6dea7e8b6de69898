import { Alphabetical } from '@samovar/alphabetical';
import { Bus } from '@samovar/bus';
import { Db, Migrations } from '@samovar/db';
import { Numerical } from '@samovar/numerical';
import { Initializer } from '@samovar/server';
import { ContainerModule } from 'inversify';
import { alphabeticalMigrations } from './migrations.ts';
import { AlphabeticalService } from './service.ts';
import { sqlLetterStore } from './store.ts';

/** Binds Alphabetical, and has its messages answered on the bus. Needs Bus, Db and Numerical. */
export const alphabeticalModule = new ContainerModule(({ bind }) => {
  bind(AlphabeticalService)
    .toResolvedValue(
      (bus, numerical, db) => new AlphabeticalService(bus, numerical, sqlLetterStore(db)),
      [Bus, Numerical, Db],
    )
    .inSingletonScope();
  bind(Alphabetical).toService(AlphabeticalService);
  bind(Initializer).toService(AlphabeticalService);
  bind(Migrations).toConstantValue(alphabeticalMigrations);
});
