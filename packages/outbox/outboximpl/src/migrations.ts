import type { Migration, Migrations } from '@samovar/db';
import { sql } from 'kysely';

const tables: Migration = {
  name: '001-rows',
  statements: (db, dialect) => {
    // Numbers are never reused, so that a lower one is never newer: SQLite would reuse the last deleted row's otherwise.
    const rows =
      dialect === 'sqlite'
        ? db.schema.createTable('outbox_rows').addColumn('seq', 'integer', (c) => c.primaryKey().autoIncrement())
        : db.schema
            .createTable('outbox_rows')
            .addColumn('seq', 'bigint', (c) => c.primaryKey().generatedAlwaysAsIdentity());
    return [
      rows
        .addColumn('id', 'text', (c) => c.notNull().unique())
        .addColumn('stream', 'text', (c) => c.notNull())
        .addColumn('type', 'text', (c) => c.notNull())
        .addColumn('event', 'text', (c) => c.notNull())
        .addColumn('size', 'bigint', (c) => c.notNull())
        .addColumn('created', 'bigint', (c) => c.notNull())
        .addColumn('attempts', 'integer', (c) => c.notNull().defaultTo(0))
        .addColumn('head', 'text')
        .addColumn('error', 'text'),
      db.schema.createIndex('outbox_rows_stream').on('outbox_rows').columns(['stream', 'seq']),
      db.schema
        .createIndex('outbox_rows_stuck')
        .on('outbox_rows')
        .column('seq')
        .where(sql.ref('error'), 'is not', null),
      db.schema
        .createTable('outbox_skipped')
        .addColumn('seq', 'bigint', (c) => c.primaryKey())
        .addColumn('id', 'text', (c) => c.notNull().unique())
        .addColumn('stream', 'text', (c) => c.notNull())
        .addColumn('type', 'text', (c) => c.notNull())
        .addColumn('event', 'text', (c) => c.notNull())
        .addColumn('created', 'bigint', (c) => c.notNull())
        .addColumn('attempts', 'integer', (c) => c.notNull())
        .addColumn('error', 'text'),
      db.schema
        .createTable('outbox_relay')
        .addColumn('id', 'integer', (c) => c.primaryKey())
        .addColumn('owner', 'text')
        .addColumn('epoch', 'bigint', (c) => c.notNull())
        .addColumn('beat', 'bigint', (c) => c.notNull()),
      db.insertInto('outbox_relay').values({ id: 1, owner: null, epoch: sql.lit(0), beat: sql.lit(0) }),
    ];
  },
};

/** The outbox's tables. */
export const outboxMigrations: Migrations = { service: 'outbox', steps: [tables] };
