import { type Connection, pragma } from './connection.ts'

/**
 * The schema, a step at a time: step n takes a file from version n-1 to n. What was released is never edited again.
 *
 * A message's row id is the version at which it was sent, so new messages go to the end of the table and a log of changes
 * needs no index: within a conversation the version and the time rise with `seq`, and a binary search over
 * (conversation, seq) finds where either starts. Rows clustered by conversation would read a page of history faster, and
 * take up to half as much work again to write.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE clock (version INTEGER NOT NULL);
  INSERT INTO clock VALUES (0);

  CREATE TABLE user (
    username TEXT PRIMARY KEY,
    display_name TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    last_seen_at INTEGER
  ) WITHOUT ROWID;

  CREATE TABLE session (
    token_hash TEXT PRIMARY KEY,
    username TEXT NOT NULL REFERENCES user ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX session_by_user ON session (username);
  CREATE INDEX session_by_expiry ON session (expires_at);

  -- version: of the newest change of any kind; last_version: of the newest message.
  CREATE TABLE conversation (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('direct', 'group')),
    last_seq INTEGER NOT NULL,
    last_sent_at INTEGER NOT NULL,
    last_version INTEGER NOT NULL,
    version INTEGER NOT NULL
  );

  CREATE TABLE member (
    conversation INTEGER NOT NULL REFERENCES conversation,
    username TEXT NOT NULL,
    delivered_seq INTEGER NOT NULL,
    read_seq INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (conversation, username)
  ) WITHOUT ROWID;
  CREATE INDEX member_by_user ON member (username, conversation);

  CREATE TABLE message (
    version INTEGER PRIMARY KEY,
    conversation INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    sender TEXT NOT NULL,
    sent_at INTEGER NOT NULL,
    text TEXT NOT NULL,
    client_message_id TEXT
  );
  CREATE UNIQUE INDEX message_by_seq ON message (conversation, seq);
  -- The SDK's ids begin with the time, so that with the id first new entries go to one page.
  CREATE UNIQUE INDEX message_by_client_id ON message (client_message_id, conversation, sender)
    WHERE client_message_id IS NOT NULL;
  `,
  `
  -- By the id the nodes that work on one store know each other.
  CREATE TABLE store (id TEXT NOT NULL);
  INSERT INTO store VALUES (lower(hex(randomblob(16))));

  -- What deleteSession ended, until it would have expired.
  CREATE TABLE ended_session (
    version INTEGER PRIMARY KEY,
    token_hash TEXT NOT NULL,
    expires_at INTEGER NOT NULL
  );
  CREATE INDEX ended_session_by_expiry ON ended_session (expires_at);
  `,
]

/**
 * Brings the file to the newest schema, each step in one transaction with its record.
 * @throws Error for a file that a newer Parley wrote
 */
export const migrate = (db: Connection, steps: readonly string[] = migrations): void => {
  const from = pragma(db, 'user_version') as number
  if (from > steps.length)
    throw new Error(
      `The database has schema ${from}; this Parley knows schemas up to ${steps.length}. ` +
        'A newer Parley has written it: start that one, or restore a backup from before the update.',
    )
  steps.slice(from).forEach((step, index) => {
    const version = from + index + 1
    db.exec('BEGIN IMMEDIATE')
    try {
      db.exec('CREATE TABLE IF NOT EXISTS migration (version INTEGER PRIMARY KEY, applied_at TEXT NOT NULL)')
      db.exec(step)
      db.exec(`INSERT INTO migration VALUES (${version}, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))`)
      db.exec(`PRAGMA user_version = ${version}`)
      db.exec('COMMIT')
    } catch (error) {
      if (db.inTransaction) db.exec('ROLLBACK')
      throw error
    }
  })
}
