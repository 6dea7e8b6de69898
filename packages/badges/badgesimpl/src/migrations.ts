import type { Migrations } from '@samovar/db';

export const badgesMigrations: Migrations = {
  service: 'badges',
  steps: [
    {
      name: '001-badges',
      statements: (db) => [
        db.schema
          .createTable('badges_received')
          .addColumn('user_id', 'text', (column) => column.primaryKey())
          .addColumn('count', 'bigint', (column) => column.notNull()),
        db.schema
          .createTable('badges_awarded')
          .addColumn('user_id', 'text', (column) => column.notNull())
          .addColumn('badge', 'text', (column) => column.notNull())
          .addPrimaryKeyConstraint('badges_awarded_key', ['user_id', 'badge']),
      ],
    },
  ],
};
