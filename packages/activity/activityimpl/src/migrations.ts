import type { Migrations } from '@samovar/db';
import { sql } from 'kysely';

export const activityMigrations: Migrations = {
  service: 'activity',
  steps: [
    {
      name: '001-leases',
      statements: (db) => [
        db.schema
          .createTable('activity_workers')
          .addColumn('worker', 'text', (column) => column.primaryKey())
          .addColumn('beat', 'bigint', (column) => column.notNull().defaultTo(sql.lit(0)))
          .addColumn('given', 'bigint', (column) => column.notNull().defaultTo(sql.lit(0))),
        db.schema
          .createTable('activity_leases')
          .addColumn('activity', 'text', (column) => column.primaryKey())
          .addColumn('worker', 'text')
          .addColumn('epoch', 'bigint', (column) => column.notNull())
          .addColumn('tail', 'text')
          .addColumn('completed', 'integer', (column) => column.notNull()),
      ],
    },
    {
      name: '002-runs',
      statements: (db) => [
        db.schema
          .alterTable('activity_workers')
          .addColumn('runs', 'text', (column) => column.notNull().defaultTo(sql.lit('[]'))),
      ],
    },
  ],
};
