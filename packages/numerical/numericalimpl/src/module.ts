import { Bus } from '@samovar/bus';
import { Db, Migrations } from '@samovar/db';
import { Numerical } from '@samovar/numerical';
import { Initializer } from '@samovar/server';
import { ContainerModule } from 'inversify';
import { numericalMigrations } from './migrations.ts';
import { NumericalService } from './service.ts';
import { sqlNumberStore } from './store.ts';

/** Binds Numerical, and has its messages answered on the bus. Needs Bus and Db. */
export const numericalModule = new ContainerModule(({ bind }) => {
  bind(NumericalService)
    .toResolvedValue((bus, db) => new NumericalService(bus, sqlNumberStore(db)), [Bus, Db])
    .inSingletonScope();
  bind(Numerical).toService(NumericalService);
  bind(Initializer).toService(NumericalService);
  bind(Migrations).toConstantValue(numericalMigrations);
});
