import type { Migrations } from '@samovar/db';
import { sql } from 'kysely';

export const stickersMigrations: Migrations = {
  service: 'stickers',
  steps: [
    {
      name: '001-counts',
      statements: (db, dialect) => [
        db.schema
          .createTable('stickers_counts')
          .addColumn('user_id', 'text', (column) => column.primaryKey())
          .addColumn('count', 'bigint', (column) => column.notNull())
          // Event ids are in the order of their characters: a language's own order, as PostgreSQL has one, may differ.
          .addColumn('last_event', dialect === 'postgres' ? sql`text collate "C"` : 'text', (column) =>
            column.notNull(),
          ),
      ],
    },
  ],
};
