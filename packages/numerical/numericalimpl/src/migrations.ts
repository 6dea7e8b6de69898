import type { Migrations } from '@samovar/db';

export const numericalMigrations: Migrations = {
  service: 'numerical',
  steps: [
    {
      name: '001-numbers',
      statements: (db) => [
        db.schema
          .createTable('numerical_numbers')
          .addColumn('id', 'bigint', (column) => column.primaryKey())
          .addColumn('value', 'bigint', (column) => column.notNull()),
      ],
    },
  ],
};
