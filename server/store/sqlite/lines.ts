import type { Reads } from './reads.ts'
import { firstSeq } from './rows.ts'

/** A conversation as a user may read it: its messages between two numbers. */
export type LineRow = [key: number, from: number, to: number, lastVersion: number]

/** Conversations that are looked at with one read, so that no read takes long. */
const linesPerRead = 500
const startsPerRead = 200

/** What a line still has to give: the messages from `next` to `to`. */
export interface Line {
  key: number
  next: number
  to: number
  /** The versions at which the messages from `next` on were sent, as far as they are known; at least of the first. */
  versions: number[]
}

/**
 * Versions looked up ahead of a line: where lines take turns, each of them is read this much less often. Of many lines fewer
 * are, so that no read takes more than a millisecond or two.
 */
const aheadMax = 64
const aheadMin = 4
const versionsPerRead = 1_000

/** The conversations of a user in which something happened, each with what the user may read of it. */
export const openLines = (reads: Reads) => {
  const newest = 'min(c.last_seq, coalesce(r.until_seq, c.last_seq))'
  const linesOf = (from: string, where: string) => {
    const line = `json_array(c.key, ${from}, ${newest}, c.last_version)`
    return reads.prepare<[lastKey: number | null, count: number, lines: LineRow[], former: LineRow[]]>(`
      SELECT json_array(max(r.conversation), count(*), json_group_array(${line}) FILTER (WHERE ${where}), json((
        SELECT json_group_array(${line}) FROM (
          SELECT *, (SELECT delivered_seq FROM member m WHERE m.conversation = f.conversation AND m.user_id = f.user_id)
            AS delivered_seq FROM former_interval f WHERE user_id = ?1 AND ?3 = 0) r
        JOIN conversation c ON c.key = r.conversation WHERE ${where})))
      FROM (SELECT * FROM member WHERE user_id = ?1 AND conversation > ?3 ORDER BY conversation LIMIT ${linesPerRead}) r
      JOIN conversation c ON c.key = r.conversation`)
  }
  const reading = {
    changed: linesOf('r.from_seq', 'c.version > ?2'),
    undelivered: linesOf('max(r.from_seq, r.delivered_seq + 1)', 'c.last_version > ?2'),
  } as const

  const starts = reads.prepare<[key: number, to: number, first: number, version: number | null][]>(`
    WITH line AS (SELECT value ->> 0 AS key, value ->> 1 AS low, value ->> 2 AS high FROM json_each(?1))
    SELECT json_group_array(json_array(s.key, s.high, s.first, m.sent_version))
    FROM (SELECT key, high, ${firstSeq('line.key', 'line.low', 'line.high', 'm.sent_version > ?2')} AS first FROM line) s
    LEFT JOIN message m ON m.conversation = s.key AND m.seq = s.first`)

  const versions = reads.prepare<[index: number, versions: number[]][]>(`
    WITH line AS (SELECT key AS i, value ->> 0 AS key, value ->> 1 AS low, value ->> 2 AS high FROM json_each(?1))
    SELECT json_group_array(json_array(i, (
      SELECT json_group_array(m.sent_version) FROM message m
      WHERE m.conversation = line.key AND m.seq BETWEEN line.low AND line.high)))
    FROM line`)

  return {
    /** Of kind `changed` those with a change of any kind after a version, of kind `undelivered` those with a message. */
    async find(kind: keyof typeof reading, userId: string, after: number): Promise<LineRow[]> {
      const found: LineRow[] = []
      for (let behind = 0; ; ) {
        // With the first ones come those of the earlier intervals of whoever came back.
        const [lastKey, count, lines, former] = await reading[kind](userId, after, behind)
        found.push(...former, ...lines)
        if (count < linesPerRead) return found
        behind = lastKey ?? behind
      }
    },

    /** Where in each of them the messages after a version begin, by that first message. */
    async startAfter(rows: LineRow[], after: number): Promise<Line[]> {
      const lines: Line[] = []
      const withMessages = rows.filter(([, from, to, lastVersion]) => from <= to && lastVersion > after)
      for (let at = 0; at < withMessages.length; at += startsPerRead) {
        const asked = withMessages.slice(at, at + startsPerRead)
        const found = await starts(JSON.stringify(asked), after)
        for (const [key, to, next, version] of found) {
          if (next <= to && version !== null) lines.push({ key, next, to, versions: [version] })
        }
      }
      return lines
    },

    /** Makes more versions of these lines known. */
    async lookAhead(lines: Line[]): Promise<void> {
      if (lines.length === 0) return
      const ahead = Math.min(aheadMax, Math.max(aheadMin, Math.floor(versionsPerRead / lines.length)))
      const places = lines.map(({ key, next, to, versions }) => {
        const from = next + versions.length
        return [key, from, Math.min(to, from + ahead - 1)]
      })
      for (const [i, found] of await versions(JSON.stringify(places)))
        lines[i]?.versions.push(...found.sort((a, b) => a - b))
    },
  }
}
