/** What SQLite's header says of an event log: 'SAMV', and the version of the tables below. */
export const applicationId = 0x53414d56;
export const version = 4;

/**
 * What subscriptions have parked, and what waits behind it, by the event and by the key. `request` is what an operator
 * asks for, '' for nothing.
 */
const parkedTables = `
  CREATE TABLE parked (
    subscription TEXT NOT NULL,
    seq INTEGER NOT NULL,
    key TEXT,
    attempts INTEGER NOT NULL,
    error TEXT NOT NULL,
    since INTEGER NOT NULL,
    request TEXT NOT NULL,
    PRIMARY KEY (subscription, seq)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX parked_requested ON parked (subscription, seq) WHERE request <> '';
  CREATE TABLE parked_waiting (
    subscription TEXT NOT NULL,
    seq INTEGER NOT NULL,
    key TEXT NOT NULL,
    PRIMARY KEY (subscription, seq)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX parked_waiting_keys ON parked_waiting (subscription, key, seq);
`;

/** What makes a file of version 1 one of version 2, and so on. */
export const upgrades: readonly string[] = [
  "ALTER TABLE subscriptions ADD COLUMN options TEXT NOT NULL DEFAULT '{}'",
  // Older programs that have the file open do not know what is parked: under this name they store no positions.
  `ALTER TABLE subscriptions RENAME TO durable_subscriptions; ${parkedTables}`,
  // Nor do they know what other processes were handed: they cannot store a row that says so.
  "ALTER TABLE durable_subscriptions ADD COLUMN shares TEXT NOT NULL DEFAULT '[]'",
];

/**
 * Publishing only adds to `events` and changes the row of `log`. Which events a stream has (`stream_events`, and the
 * head in `streams`) and which idempotency keys were used (`keys`) is folded in later and in bulk, up to `log.indexed`
 * for all streams and up to `streams.head` for each; until then the tail of `events` says it, which every process that
 * has the log open keeps in memory. This way a commit does not touch a page for each stream it writes to.
 */
export const schema = `
  CREATE TABLE log (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    number INTEGER NOT NULL,
    position INTEGER NOT NULL,
    events INTEGER NOT NULL,
    largest INTEGER NOT NULL,
    indexed INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    generation_since INTEGER NOT NULL,
    epoch INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE events (
    seq INTEGER PRIMARY KEY,
    stream INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    type TEXT NOT NULL,
    data ANY,
    time INTEGER NOT NULL,
    acked INTEGER NOT NULL,
    client TEXT,
    schema TEXT,
    aggregate TEXT,
    cause TEXT,
    meta TEXT,
    key TEXT
  ) STRICT;
  CREATE TABLE streams (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    head INTEGER NOT NULL,
    clock INTEGER NOT NULL,
    events INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE stream_events (
    stream INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (stream, seq)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE keys (
    generation INTEGER NOT NULL,
    stream INTEGER NOT NULL,
    key TEXT NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (generation, stream, key)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE durable_subscriptions (
    name TEXT PRIMARY KEY,
    selector TEXT NOT NULL,
    high INTEGER NOT NULL,
    pending TEXT NOT NULL,
    acked INTEGER NOT NULL,
    last TEXT,
    owner TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    beat INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    options TEXT NOT NULL DEFAULT '{}',
    shares TEXT NOT NULL DEFAULT '[]'
  ) STRICT, WITHOUT ROWID;
  ${parkedTables}
`;
