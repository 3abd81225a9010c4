import { type Connection, pragma } from './connection.ts'

/**
 * The schema, a step at a time: step n takes a file from version n-1 to n. What was released is never edited again.
 *
 * A message's row id is the version at which it was sent, so new messages go to the end of the table and the log of what
 * was sent needs no index: within a conversation that version and the time rise with `seq`, and a binary search over
 * (conversation, seq) finds where either starts. Rows clustered by conversation would read a page of history faster, and
 * take up to half as much work again to write. What changes in place is found by partial indexes, for which a new message
 * pays nothing.
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
  `
  ALTER TABLE user RENAME COLUMN username TO user_id;
  ALTER TABLE session RENAME COLUMN username TO user_id;
  ALTER TABLE member RENAME COLUMN username TO user_id;
  ALTER TABLE message RENAME COLUMN version TO sent_version;

  -- version: of the profile.
  ALTER TABLE user ADD COLUMN version INTEGER NOT NULL DEFAULT 0;
  CREATE INDEX user_by_version ON user (version);

  -- What a member may read, until_seq: null while the membership lasts. Earlier intervals of those who came back stand apart.
  ALTER TABLE member ADD COLUMN from_seq INTEGER NOT NULL DEFAULT 1;
  ALTER TABLE member ADD COLUMN until_seq INTEGER;
  CREATE INDEX member_by_version ON member (version) WHERE version > 0;
  CREATE TABLE former_interval (
    user_id TEXT NOT NULL,
    conversation INTEGER NOT NULL REFERENCES conversation,
    from_seq INTEGER NOT NULL,
    until_seq INTEGER NOT NULL,
    PRIMARY KEY (user_id, conversation, from_seq)
  ) WITHOUT ROWID;
  CREATE VIEW readable AS
    SELECT user_id, conversation, from_seq, until_seq FROM member
    UNION ALL SELECT user_id, conversation, from_seq, until_seq FROM former_interval;

  -- changed_version: of the latest change in place, null where there was none.
  ALTER TABLE message ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;
  ALTER TABLE message ADD COLUMN edited_at INTEGER;
  ALTER TABLE message ADD COLUMN deleted_at INTEGER;
  ALTER TABLE message ADD COLUMN changed_version INTEGER;
  CREATE INDEX message_by_change ON message (changed_version) WHERE changed_version IS NOT NULL;
  CREATE INDEX message_by_conversation_change ON message (conversation, changed_version)
    WHERE changed_version IS NOT NULL;
  CREATE INDEX message_deleted ON message (conversation, seq, sender) WHERE deleted_at IS NOT NULL;

  CREATE TABLE former_text (
    conversation INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    text TEXT NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (conversation, seq, revision)
  ) WITHOUT ROWID;

  -- Counts the messages of its sender in the conversation. With two people the row at a place tells it for both; for the
  -- others there is an index.
  ALTER TABLE message ADD COLUMN sender_ordinal INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE message ADD COLUMN in_group INTEGER NOT NULL DEFAULT 0;
  UPDATE message SET sender_ordinal = counted.ordinal FROM (
    SELECT sent_version, row_number() OVER (PARTITION BY conversation, sender ORDER BY seq) AS ordinal FROM message
  ) counted WHERE counted.sent_version = message.sent_version;
  UPDATE message SET in_group = 1 WHERE conversation IN (SELECT key FROM conversation WHERE kind = 'group');
  CREATE INDEX message_by_sender ON message (conversation, sender, seq, sender_ordinal) WHERE in_group = 1;
  `,
  `
  -- From where users have signed in.
  CREATE TABLE known_network (
    user_id TEXT NOT NULL,
    network_hash TEXT NOT NULL,
    seen_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, network_hash)
  ) WITHOUT ROWID;
  CREATE INDEX known_network_by_time ON known_network (seen_at);
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
