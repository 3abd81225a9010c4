import { ChatError } from '../../contract/index.ts'
import type { MessageStore } from '../../domain/ports.ts'
import { intervalsOf, isMember, memberId } from './documents.ts'
import { inTime, isDuplicate } from './errors.ts'
import { waitMaxMs } from './limits.ts'
import { find, findOne } from './reads.ts'
import { type MemberDocument, type Models, native } from './schema.ts'
import { newMember } from './tails.ts'

type Here = 'intervals' | 'conversationsOf' | 'groups' | 'addMember' | 'removeMember'

/** Who is, and was, in which conversation. */
export const memberStore = (
  models: Models,
  lastSeqOf: (conversationId: string) => Promise<number>,
): Pick<MessageStore, Here> => {
  const { conversations, members } = models
  const writing = { maxTimeMS: waitMaxMs }

  const membership = (conversationId: string, userId: string): Promise<MemberDocument | null> =>
    findOne(members, { _id: memberId(conversationId, userId), conversationId })

  const idsOf = async (filter: object): Promise<string[]> =>
    (await find(members, { ...filter, ...isMember }, { projection: { conversationId: 1 } })).map(
      ({ conversationId }) => conversationId,
    )

  /** @returns whether it was done: another node may have been quicker. */
  const insertMember = async (document: MemberDocument): Promise<boolean> => {
    try {
      await native(members).insertOne(document, writing)
      return true
    } catch (error) {
      if (isDuplicate(error)) return false
      throw error
    }
  }

  /** The interval that ended is kept beside the new one. */
  const bringBack = async (left: MemberDocument & { untilSeq: number }, wanted: number): Promise<boolean> => {
    const { _id, conversationId, fromSeq, untilSeq } = left
    const { matchedCount } = await native(members).updateOne(
      { _id, conversationId, untilSeq },
      {
        $set: { fromSeq: Math.max(wanted, untilSeq + 1) },
        $push: { former: { fromSeq, untilSeq } },
        $unset: { untilSeq: true },
      },
      writing,
    )
    return matchedCount > 0
  }

  return {
    async intervals(conversationId, userId) {
      const found = await membership(conversationId, userId)
      return found ? intervalsOf(found) : []
    },

    conversationsOf: (userId) => idsOf({ userId }),
    groups: (userId) => idsOf({ userId, kind: 'group' }),

    async addMember(conversationId, userId, fromSeq) {
      const group = await findOne(conversations, { _id: conversationId })
      if (group?.kind !== 'group') throw new ChatError('notMember')
      for (let isDone = false; !isDone; ) {
        const found = await membership(conversationId, userId)
        if (found && found.untilSeq === undefined) return
        isDone = await inTime(
          found
            ? bringBack(found as MemberDocument & { untilSeq: number }, fromSeq)
            : insertMember(newMember(conversationId, userId, fromSeq)),
        )
      }
    },

    async removeMember(conversationId, userId) {
      const filter = { _id: memberId(conversationId, userId), conversationId, ...isMember }
      const untilSeq = await lastSeqOf(conversationId)
      await inTime(native(members).updateOne(filter, { $set: { untilSeq } }, writing))
    },
  }
}
