import type { Receipt } from '../../../server/contract/index.ts'
import { directMembers } from '../../../server/contract/places.ts'
import type { ChatMessage } from './message.ts'

export type Progress = Pick<Receipt, 'deliveredSeq' | 'readSeq'>
export type ReceiptFacts = Progress & Pick<Receipt, 'conversationId' | 'userId'>

/** How far each member of one conversation is, as far as this client was told. Both only move forward (P6). */
export const createReceipts = (conversationId: string, viewer: string) => {
  const progress = new Map<string, Progress>()
  /** Of a group only a summary tells; until then nobody can say what all of them have. */
  let members: readonly string[] | null = directMembers(conversationId)

  const progressOf = (userId: string): Progress => progress.get(userId) ?? { deliveredSeq: 0, readSeq: 0 }
  /** Whose progress says how far a message of the viewer is. Notes to oneself have no others. */
  const counted = () => (members ?? []).filter((name) => name !== viewer || members?.length === 1)

  return {
    setMembers(names: readonly string[]) {
      members = names
    },
    /** @returns whether it says something new */
    receive({ userId, deliveredSeq, readSeq }: Progress & { userId: string }): boolean {
      const known = progressOf(userId)
      if (deliveredSeq <= known.deliveredSeq && readSeq <= known.readSeq) return false
      progress.set(userId, {
        deliveredSeq: Math.max(deliveredSeq, known.deliveredSeq),
        readSeq: Math.max(readSeq, known.readSeq),
      })
      return true
    },
    progressOf,
    counts: (userId: string) => counted().includes(userId),
    /** Gives messages their status as it is now: the same message where nothing has changed. */
    marker() {
      const all = counted().map(progressOf)
      const least = (key: keyof Progress) => (all.length === 0 ? 0 : Math.min(...all.map((one) => one[key])))
      const [deliveredSeq, readSeq] = [least('deliveredSeq'), least('readSeq')]
      return (message: ChatMessage): ChatMessage => {
        const { seq, status } = message
        if (seq === null || (status !== 'sent' && status !== 'delivered')) return message
        const now = seq <= readSeq ? 'read' : seq <= deliveredSeq ? 'delivered' : status
        return now === status ? message : { ...message, status: now }
      }
    },
    clear: () => progress.clear(),
  }
}
