import type { UserId, Version } from '../../contract/index.ts'
import type { Change, MessageStore } from '../../domain/ports.ts'
import { byVersion, type ChangePosition, openPositions } from './change-positions.ts'
import type { Commits } from './commits.ts'
import { type Line, type LineRow, openLines } from './lines.ts'
import { createMerge } from './merge.ts'
import type { Reads } from './reads.ts'
import { firstSeq } from './rows.ts'

type Here = 'overlap' | 'parallelReads' | 'version' | 'changes' | 'undelivered' | 'backlog' | 'latestVersions'

const keysPerRead = 200

/** Versions and what concerns a user that changed after them. */
export const changeStore = (
  { present, visible }: Pick<Commits, 'present' | 'visible'>,
  reads: Reads,
): Pick<MessageStore, Here> => {
  const lines = openLines(reads)
  const changesAt = openPositions(reads)

  /**
   * In those of some conversations that the user is a member of: what changed in place after ?3. Messages that were sent
   * since then come as new ones, at their latest state.
   */
  const inPlace = reads.prepare<InPlaceRow[]>(`
    WITH line AS MATERIALIZED (
      SELECT value ->> 0 AS key, value ->> 1 AS low, value ->> 2 AS high FROM json_each(?1)
      WHERE EXISTS (SELECT 1 FROM member WHERE conversation = value ->> 0 AND user_id = ?2 AND until_seq IS NULL))
    SELECT json_group_array(json_array(kind, version, key, user_id)) FROM (
      SELECT 'messageChanged' AS kind, m.changed_version AS version, m.sent_version AS key, NULL AS user_id
      FROM line CROSS JOIN message m
      WHERE m.conversation = line.key AND m.changed_version > ?3 AND m.changed_version <= ?4 AND m.sent_version <= ?3
        AND +m.seq BETWEEN line.low AND line.high
      UNION ALL
      SELECT 'receipt', r.version, r.conversation, r.user_id FROM line CROSS JOIN member r
      WHERE r.conversation = line.key AND r.version > ?3 AND r.version <= ?4 AND r.until_seq IS NULL
      UNION ALL
      SELECT 'user', u.version, NULL, u.user_id FROM line CROSS JOIN member r CROSS JOIN user u
      WHERE r.conversation = line.key AND r.until_seq IS NULL AND u.user_id = r.user_id
        AND u.version > ?3 AND u.version <= ?4
      UNION ALL
      SELECT 'user', version, NULL, user_id FROM user WHERE user_id = ?2 AND version > ?3 AND version <= ?4)`)
  const keysOf = reads.prepare<number[]>(
    'SELECT json_group_array(key) FROM conversation WHERE id IN (SELECT value FROM json_each(?))',
  )

  /** Where something changed in place, by version. */
  const changedInPlace = async (rows: LineRow[], userId: UserId, after: Version, upTo: Version) => {
    const positions: ChangePosition[] = []
    for (let at = 0; at === 0 || at < rows.length; at += keysPerRead) {
      const asked = JSON.stringify(rows.slice(at, at + keysPerRead))
      positions.push(...(await inPlace(asked, userId, after, upTo)).map(toPosition))
    }
    return unique(positions).sort(byVersion)
  }

  /** Pages of what was sent on these lines, merged with what changed in place. */
  async function* pages(
    sent: Line[],
    changed: ChangePosition[],
    upTo: Version,
    limit: number,
  ): AsyncGenerator<Change[]> {
    const merge = createMerge(sent, lines.lookAhead)
    let waiting: ChangePosition[] = []
    let hasMore = true
    for (;;) {
      if (hasMore && waiting.length < limit) {
        const versions = await merge.next(limit - waiting.length)
        hasMore = versions.length === limit - waiting.length && (versions.at(-1) ?? 0) <= upTo
        const within = versions.filter((version) => version <= upTo)
        waiting.push(...within.map((version): ChangePosition => ({ kind: 'message', version, sentVersion: version })))
      }
      // Those in place that come before the last of what was sent, which are all that can be on this page.
      const page = [...waiting, ...changed.slice(0, limit)].sort(byVersion).slice(0, limit)
      if (page.length === 0) return
      const onPage = new Set(page)
      waiting = waiting.filter((position) => !onPage.has(position))
      changed = changed.filter((position, i) => i >= limit || !onPage.has(position))
      yield await changesAt(page)
    }
  }

  /** Mostly little was missed, which the message so far before the last one tells. */
  const backlog = reads.prepare<[string, number][]>(`
    WITH long AS MATERIALIZED (
      SELECT DISTINCT c.key, c.id, c.last_seq
      FROM readable r JOIN conversation c ON c.key = r.conversation
      JOIN message m ON m.conversation = c.key AND m.seq = c.last_seq - ?3
      WHERE r.user_id = ?1 AND c.last_version > ?2 AND m.sent_version > ?2),
    line AS MATERIALIZED (
      SELECT long.key, long.id, r.from_seq AS low, min(long.last_seq, coalesce(r.until_seq, long.last_seq)) AS high
      FROM long JOIN readable r ON r.conversation = long.key AND r.user_id = ?1),
    started AS MATERIALIZED (
      SELECT id, high, ${firstSeq('line.key', 'line.low', 'line.high', 'm.sent_version > ?2')} AS first FROM line
      WHERE low <= high)
    SELECT json_group_array(json_array(id, first - 1)) FROM (
      SELECT id, min(first) AS first FROM started WHERE first <= high GROUP BY id HAVING sum(high - first + 1) > ?3)`)

  const latestVersions = reads.prepare<[string, number][]>(`
    SELECT json_group_array(json_array(user_id, newest)) FROM (
      SELECT user_id, max(version) AS newest FROM (
        SELECT me.user_id, c.version
        FROM json_each(?1) asked JOIN member me ON me.user_id = asked.value JOIN conversation c ON c.key = me.conversation
        WHERE c.version > ?2 AND me.until_seq IS NULL
        UNION ALL
        SELECT u.user_id, u.version FROM json_each(?1) asked JOIN user u ON u.user_id = asked.value WHERE u.version > ?2)
      GROUP BY user_id)`)

  return {
    overlap: 0,
    // As many as keep both readers busy until the loop's next turn.
    parallelReads: 12,
    version: present,

    async *changes(userId, { after, upTo, except }, limit) {
      // A commit may come between two reads: no page goes beyond what the first of them could have seen.
      const end = Math.min(upTo, visible())
      const rows = await lines.find('changed', userId, after)
      const changed = await changedInPlace(rows, userId, after, end)
      const skipped = new Set(except.length === 0 ? [] : await keysOf(JSON.stringify(except)))
      const sent = await lines.startAfter(
        rows.filter(([key]) => !skipped.has(key)),
        after,
      )
      yield* pages(sent, changed, end, limit)
    },

    async *undelivered(userId, { after, upTo }, limit) {
      const end = Math.min(upTo, visible())
      const rows = await lines.find('undelivered', userId, after)
      yield* pages(await lines.startAfter(rows, after), [], end, limit)
    },

    backlog: async (userId, after, moreThan) =>
      (await backlog(userId, after, moreThan)).map(([conversationId, afterSeq]) => ({ conversationId, afterSeq })),

    latestVersions: async (userIds, after) => new Map(await latestVersions(JSON.stringify(userIds), after)),
  }
}

type InPlaceRow =
  | [kind: 'messageChanged', version: Version, sentVersion: Version, userId: null]
  | [kind: 'receipt', version: Version, key: number, userId: UserId]
  | [kind: 'user', version: Version, key: null, userId: UserId]

const toPosition = ([kind, version, key, userId]: InPlaceRow): ChangePosition => {
  if (kind === 'messageChanged') return { kind, version, sentVersion: key }
  return kind === 'receipt' ? { kind, version, key, userId } : { kind, version, userId }
}

/** A profile is seen in many conversations, a receipt in two intervals of one: a version is of one change alone. */
const unique = (positions: ChangePosition[]): ChangePosition[] => [
  ...new Map(positions.map((position) => [position.version, position])).values(),
]
