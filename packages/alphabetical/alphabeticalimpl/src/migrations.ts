import type { Migrations } from '@samovar/db';

export const alphabeticalMigrations: Migrations = {
  service: 'alphabetical',
  steps: [
    {
      name: '001-letters',
      statements: (db) => [
        db.schema
          .createTable('alphabetical_letters')
          .addColumn('id', 'bigint', (column) => column.primaryKey())
          .addColumn('letter', 'text', (column) => column.notNull()),
      ],
    },
  ],
};
