import { messageId, type Receipt } from '../../contract/index.ts'
import type { Log, MessageStore } from '../../domain/ports.ts'
import { isMember, memberId, toReceipt } from './documents.ts'
import { inTime, wordsOf } from './errors.ts'
import { lateMs } from './limits.ts'
import { find } from './reads.ts'
import { type MemberDocument, type Models, native } from './schema.ts'
import type { Versions } from './versions.ts'
import { type Outcome, unknown } from './writes.ts'

type Move = Parameters<MessageStore['advance']>[0][number]

export interface Advance {
  type: 'advance'
  moves: Move[]
  /** Versions that its receipts may have got, and when: nobody knows. */
  given: Map<number, number>
}

export const advanceOf = (moves: Move[]): Advance => ({ type: 'advance', moves, given: new Map() })

/** A member's receipt, as it is and as it shall be. */
interface Moving {
  stored: MemberDocument
  next: MemberDocument
  by: Set<Advance>
}

/**
 * Moves receipts. Each is written over the version that was read, so that no other move is lost; and one that turns up
 * late finds another version.
 */
export const createReceiptWrites = ({ models, versions, log }: { models: Models; versions: Versions; log: Log }) => {
  const { conversations, members, messages } = models

  const membersOf = async (moves: Move[]): Promise<Map<string, MemberDocument>> => {
    const conversationId = { $in: [...new Set(moves.map((move) => move.conversationId))] }
    const _id = { $in: [...new Set(moves.map((move) => memberId(move.conversationId, move.userId)))] }
    // Only what is durable: what another node has moved and a failover takes back was not moved.
    const found = await find(members, { conversationId, _id, ...isMember })
    return new Map(found.map((document) => [document._id, document]))
  }

  /** How far each move may go: to the last message. Its conversation may not say yet that there is one more. */
  const limitsOf = async (moves: Move[]): Promise<(conversationId: string, wanted: number) => number> => {
    const ids = [...new Set(moves.map(({ conversationId }) => conversationId))]
    const heads = await find(conversations, { _id: { $in: ids } })
    const lastSeqs = new Map(heads.map(({ _id, lastSeq }) => [_id, lastSeq]))
    const lastSeq = (id: string) => lastSeqs.get(id) ?? 0
    const beyond = moves.flatMap(({ conversationId, deliveredSeq, readSeq }) =>
      [deliveredSeq, readSeq]
        .filter((seq) => seq > lastSeq(conversationId) && Number.isSafeInteger(seq))
        .map((seq) => ({ conversationId, seq })),
    )
    const there = beyond.length === 0 ? [] : await find(messages, { $or: beyond })
    const known = new Set(there.map(({ conversationId, seq }) => messageId(conversationId, seq)))
    return (conversationId, wanted) =>
      wanted <= lastSeq(conversationId) || known.has(messageId(conversationId, wanted))
        ? wanted
        : lastSeq(conversationId)
  }

  /** All moves one after the other, in memory. */
  const plan = async (
    advances: Advance[],
  ): Promise<{ moving: Map<string, Moving>; documents: Map<string, MemberDocument> }> => {
    const moves = advances.flatMap((advance) => advance.moves)
    const [documents, limit] = await Promise.all([membersOf(moves), limitsOf(moves)])
    for (const { version } of documents.values()) versions.saw(version)
    const moving = new Map<string, Moving>()
    for (const advance of advances) {
      for (const move of advance.moves) {
        const id = memberId(move.conversationId, move.userId)
        const stored = documents.get(id)
        if (!stored) continue
        const now = moving.get(id)?.next ?? stored
        const readSeq = Math.max(now.readSeq, limit(move.conversationId, move.readSeq))
        const deliveredSeq = Math.max(now.deliveredSeq, limit(move.conversationId, move.deliveredSeq), readSeq)
        const isLate = performance.now() - (advance.given.get(now.version) ?? Number.POSITIVE_INFINITY) > lateMs
        if (readSeq === now.readSeq && deliveredSeq === now.deliveredSeq && !isLate) continue
        const known = moving.get(id) ?? {
          stored,
          next: { ...stored, version: versions.next() },
          by: new Set<Advance>(),
        }
        moving.set(id, known)
        Object.assign(known.next, { readSeq, deliveredSeq })
        known.by.add(advance)
      }
    }
    return { moving, documents }
  }

  const write = async (moving: Moving[]): Promise<boolean> => {
    if (moving.length === 0) return true
    const givenAt = performance.now()
    const updates = moving.map(({ stored, next: { deliveredSeq, readSeq, version } }) => ({
      updateOne: {
        filter: { _id: stored._id, conversationId: stored.conversationId, version: stored.version },
        update: { $set: { deliveredSeq, readSeq, version } },
      },
    }))
    try {
      const { matchedCount } = await inTime(native(members).bulkWrite(updates, { ordered: false, maxTimeMS: lateMs }))
      return matchedCount === moving.length && performance.now() - givenAt <= lateMs
    } catch (error) {
      log.warn(
        { reason: wordsOf(error), receipts: moving.length },
        'it is not known whether receipts were stored; looking',
      )
      return false
    }
  }

  return async (advances: Advance[]): Promise<Outcome<Receipt[]>[]> => {
    const { moving, documents } = await plan(advances)
    const all = [...moving.values()]
    for (const { by, next } of all) for (const advance of by) advance.given.set(next.version, performance.now())
    const written = await write(all)
    return advances.map((advance): Outcome<Receipt[]> => {
      const mine = new Set(advance.moves.map((move) => memberId(move.conversationId, move.userId)))
      const isMoving = [...mine].some((id) => moving.get(id)?.by.has(advance))
      // One that was not matched has been moved by another node; it is looked at again, as is what nobody knows.
      if (isMoving && !written) return unknown
      const moved = [...mine].flatMap((id) => {
        const receipt = moving.get(id)?.by.has(advance) ? moving.get(id)?.next : documents.get(id)
        return receipt && advance.given.has(receipt.version) ? [toReceipt(receipt)] : []
      })
      return { type: 'done', version: Math.max(0, ...moved.map(({ version }) => version)), result: moved }
    })
  }
}
