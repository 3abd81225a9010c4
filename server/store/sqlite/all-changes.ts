import type { Version } from '../../contract/index.ts'
import type { MessageStore } from '../../domain/ports.ts'
import { byVersion, type ChangePosition, openPositions } from './change-positions.ts'
import type { Commits } from './commits.ts'
import type { Reads } from './reads.ts'

/** All changes, whomever they concern: each kind has its versions in an index, the messages by their row ids. */
export const allChangesStore = (
  { visible }: Pick<Commits, 'visible'>,
  reads: Reads,
): Pick<MessageStore, 'allChanges'> => {
  const changesAt = openPositions(reads)
  const sent = reads.prepare<Version[]>(`
    SELECT json_group_array(sent_version) FROM (
      SELECT sent_version FROM message WHERE sent_version > ?1 AND sent_version <= ?2 ORDER BY sent_version LIMIT ?3)`)
  // Those sent behind the start of the whole reading come as new messages, at their latest state.
  const changed = reads.prepare<[Version, Version][]>(`
    SELECT json_group_array(json_array(changed_version, sent_version)) FROM (
      SELECT changed_version, sent_version FROM message INDEXED BY message_by_change
      WHERE changed_version > ?1 AND changed_version <= ?2 AND sent_version <= ?4 ORDER BY changed_version LIMIT ?3)`)
  const moved = reads.prepare<[Version, number, string][]>(`
    SELECT json_group_array(json_array(version, conversation, user_id)) FROM (
      SELECT version, conversation, user_id FROM member
      WHERE version > ?1 AND version <= ?2 AND version > 0 ORDER BY version LIMIT ?3)`)
  const profiles = reads.prepare<[Version, string][]>(`
    SELECT json_group_array(json_array(version, user_id)) FROM (
      SELECT version, user_id FROM user WHERE version > ?1 AND version <= ?2 ORDER BY version LIMIT ?3)`)

  const positionsAfter = async (from: Version, upTo: Version, limit: number, start: Version) => {
    const [messages, changes, receipts, users] = await Promise.all([
      sent(from, upTo, limit),
      changed(from, upTo, limit, start),
      moved(from, upTo, limit),
      profiles(from, upTo, limit),
    ])
    const positions: ChangePosition[] = [
      ...messages.map((version) => ({ kind: 'message', version, sentVersion: version }) as const),
      ...changes.map(([version, sentVersion]) => ({ kind: 'messageChanged', version, sentVersion }) as const),
      ...receipts.map(([version, key, userId]) => ({ kind: 'receipt', version, key, userId }) as const),
      ...users.map(([version, userId]) => ({ kind: 'user', version, userId }) as const),
    ]
    return positions.sort(byVersion).slice(0, limit)
  }

  return {
    async *allChanges({ after, upTo }, limit) {
      const end = Math.min(upTo, visible())
      for (let from = after; ; ) {
        const page = await positionsAfter(from, end, limit, after)
        const last = page.at(-1)
        if (!last) return
        yield await changesAt(page)
        if (page.length < limit) return
        from = last.version
      }
    },
  }
}
