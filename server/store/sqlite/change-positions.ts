import type { Version } from '../../contract/index.ts'
import type { Change, StoredMessage } from '../../domain/ports.ts'
import type { Reads } from './reads.ts'
import {
  type MessageRow,
  messageChange,
  messageColumns,
  type ProfileRow,
  profileChange,
  profileColumns,
  type ReceiptRow,
  receiptChange,
  receiptColumns,
  toMessage,
  toProfile,
  toReceipt,
} from './rows.ts'

/** A change that is known to be there, and not read yet: its version, and what it is a change of. */
export type ChangePosition =
  | { kind: 'message' | 'messageChanged'; version: Version; sentVersion: Version }
  | { kind: 'receipt'; version: Version; key: number; userId: string }
  | { kind: 'user'; version: Version; userId: string }

/** Texts of one read: a millisecond of the loop or two. What is left of a page is read next. */
const textBytesPerRead = 64 * 1024

/** Reads what stands at the positions of one page, at its latest state. */
export const openPositions = (reads: Reads) => {
  const messages = reads.prepare<[sentVersion: Version, MessageRow][]>(`
    WITH found AS MATERIALIZED (
      SELECT asked.key AS i, m.sent_version, octet_length(m.text) AS bytes
      FROM json_each(?1) asked CROSS JOIN message m ON m.sent_version = asked.value),
    page AS MATERIALIZED (SELECT *, sum(bytes) OVER (ORDER BY i) - bytes AS earlier FROM found)
    SELECT json_group_array(json_array(m.sent_version, json_array(${messageColumns})))
    FROM page CROSS JOIN message m ON m.sent_version = page.sent_version JOIN conversation c ON c.key = m.conversation
    WHERE page.earlier <= ${textBytesPerRead}`)
  const messagesAt = async (sentVersions: Version[]): Promise<Map<Version, StoredMessage>> => {
    const found = new Map<Version, StoredMessage>()
    let left = sentVersions
    while (left.length > 0) {
      const rows = await messages(JSON.stringify(left))
      if (rows.length === 0) break
      for (const [version, row] of rows) found.set(version, toMessage(row))
      left = left.filter((version) => !found.has(version))
    }
    return found
  }
  const receipts = reads.prepare<[key: number, ReceiptRow][]>(`
    SELECT json_group_array(json_array(c.key, json_array(${receiptColumns})))
    FROM json_each(?) asked CROSS JOIN member r ON r.conversation = asked.value ->> 0 AND r.user_id = asked.value ->> 1
    JOIN conversation c ON c.key = r.conversation`)
  const profiles = reads.prepare<ProfileRow[]>(`
    SELECT json_group_array(json_array(${profileColumns}))
    FROM json_each(?) asked CROSS JOIN user u ON u.user_id = asked.value`)

  return async (positions: ChangePosition[]): Promise<Change[]> => {
    const sent = positions.filter((position) => 'sentVersion' in position)
    const moved = positions.filter((position) => position.kind === 'receipt')
    const changed = positions.filter((position) => position.kind === 'user')
    const [messageAt, receiptRows, profileRows] = await Promise.all([
      messagesAt(sent.map(({ sentVersion }) => sentVersion)),
      moved.length === 0 ? [] : receipts(JSON.stringify(moved.map(({ key, userId }) => [key, userId]))),
      changed.length === 0 ? [] : profiles(JSON.stringify(changed.map(({ userId }) => userId))),
    ])
    const receiptAt = new Map(receiptRows.map(([key, row]) => [`${key} ${row[1]}`, toReceipt(row)]))
    const profileAt = new Map(profileRows.map((row) => [row[0], toProfile(row)]))
    return [
      ...sent.map(({ kind, version, sentVersion }) => messageChange(kind, version, messageAt.get(sentVersion)!)),
      ...moved.map(({ version, key, userId }) => receiptChange(version, receiptAt.get(`${key} ${userId}`)!)),
      ...changed.map(({ version, userId }) => profileChange(version, profileAt.get(userId)!)),
    ].sort(byVersion)
  }
}

export const byVersion = (a: { version: Version }, b: { version: Version }): number => a.version - b.version
